"""What a grid takes, before its first run: space, and time.

Time follows from finished runs of the same network, or else from its operations, which is rough.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fleeting import layout, tsv
from fleeting.doctor import disk
from fleeting.doctor.findings import readable_size
from fleeting.doctor.operations import operations, peak
from fleeting.errors import UserError
from fleeting.files import write_text
from fleeting.layout import Config, Job
from fleeting.paths import sha256
from fleeting.progress.state import duration, metadata
from fleeting.settings import Variant
from fleeting.splits import gate as gates
from fleeting.splits.folds import of_part
from fleeting.splits.gate import Gate
from fleeting.splits.protocol import ROLES
from fleeting.training import balancing
from fleeting.training.architecture import architecture
from fleeting.training.recipe import Recipe

#: What networks reach of the speed of a matrix product: 0.5 on two cores, 0.05 to 0.3 on an H200
#: (benchmarks/README.md).
SHARE_OF_PEAK = 0.3


@dataclass(frozen=True)
class Estimate:
    """What the training jobs of a grid that are not finished take.

    Attributes:
        jobs: how many the grid has.
        left: how many are not finished.
        seconds: of training, one job at a time.
        rough: the networks whose time follows from their operations.
        space: the bytes that they write at most, by kind.
        free: what the disk has.
    """

    jobs: int
    left: int
    seconds: float
    rough: list[str]
    space: dict[str, int]
    free: int


@dataclass(frozen=True)
class Images:
    """How many images each fold has in each role, and the repeat that it is for (None: all).

    Those in training are balanced as the recipe says.
    """

    train: Counter[int]
    validation: Counter[int]
    test: Counter[int]
    repeat_of: Mapping[int, int | None]

    def folds(self, repeat: int) -> list[int]:
        """The folds of a repeat."""
        return [fold for fold, own in self.repeat_of.items() if own in (None, repeat)]

    def of(self, job: Job, parts: int) -> int:
        """The training images of a job in an epoch."""
        folds = [fold for fold in self.folds(job.repeat) if of_part(fold, job.part, parts)]
        return sum(self.train[fold] for fold in folds)


def run(
    *,
    results: Path,
    experiment: str,
    grid: dict[str, Any],
    parts: int,
    recipe: Recipe,
    trace: bool,
    keep_models: str,
    gate: Path,
    split: Path,
    folds: Path,
    output: Path,
) -> None:
    """Print what an experiment's grid takes, and write it as JSON.

    Args:
        results: the results folder, which may hold finished runs.
        experiment: its name.
        grid: the config's block.
        parts: how many jobs share the folds of a run.
        recipe: how a fold is trained.
        trace: whether runs also predict their test examples after every epoch.
        keep_models: which models stay: `all`, `chosen` or `none`.
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        output: receives the estimate.

    Raises:
        UserError: the disk has less than that.
    """
    settings = recipe.model_dump(mode="json")
    block = {"grid": grid, "parts": parts, "recipe": settings, "trace": trace}
    config = {"results": str(results), "experiments": {experiment: block}}
    images = read_images(split, folds, recipe.balance)
    found = estimate(config, experiment, images, gate, keep_models)
    if sum(found.space.values()) > found.free:
        raise UserError(f"{results}: too little space. {text(experiment, found)} {disk.REMEDY}")
    print(f"Note: {text(experiment, found)}")
    write_text(json.dumps(vars(found), indent=2) + "\n", output)


def read_images(split: Path, folds: Path, balance: Variant) -> Images:
    """How many images each fold of a split has, with the recipe's `balance`."""
    labels: dict[str, dict[int, list[str]]] = {role: {} for role in ROLES}
    for row in tsv.read_rows(split, tsv.SPLIT):
        labels[row["split"]].setdefault(int(row["fold"]), []).append(row["label"])
    counted = {
        role: Counter({fold: len(own) for fold, own in by_fold.items()})
        for role, by_fold in labels.items()
    }
    for fold, own in labels["train"].items():
        counted["train"][fold] = sum(balancing.counts(own, balance).values())
    repeat_of = {
        int(row["fold"]): int(row["repeat"]) if row["repeat"] else None
        for row in tsv.read_rows(folds, tsv.FOLDS)
    }
    return Images(**counted, repeat_of=repeat_of)


def estimate(config: Config, name: str, images: Images, gate: Path, keep_models: str) -> Estimate:
    """What the training jobs of an experiment that are not finished take.

    Args:
        config: `results`, and of the experiment its grid, parts, complete recipe and trace.
        name: the experiment's.
        images: of each fold.
        gate: split.json.
        keep_models: which models stay.
    """
    block, results = config["experiments"][name], Path(config["results"])
    jobs, digest, contents = layout.training_jobs(config, name), sha256(gate), gates.read(gate)
    left: list[Job] = []
    measured: dict[str, list[float]] = {}
    for job in jobs:
        written = metadata(results / job.folder / "run.json")
        if written and not written["failed"] and sum(written["train_examples"].values()):
            measured.setdefault(job.model, []).append(_seconds_per_image(written))
        if not written or not _is_of(written, block["recipe"], digest):
            left.append(job)
    rough = sorted({job.model for job in left} - measured.keys())
    per_image = {model: sum(values) / len(values) for model, values in measured.items()}
    unmeasured = {model: block["grid"]["networks"][model] for model in rough}
    per_image |= _by_operations(unmeasured, contents, images, block["recipe"])
    seconds = block["recipe"]["epochs"] * sum(
        images.of(job, block["parts"]) * per_image[job.model] for job in left
    )
    needed = _space(config, name, contents, images, keep_models) if left else {}
    free = disk.free_bytes(results)
    return Estimate(len(jobs), len(left), round(seconds, 1), rough, needed, free)


def text(name: str, found: Estimate) -> str:
    """An estimate as a sentence."""
    if not found.left:
        return f"{name}: all {found.jobs} training jobs are finished."
    said = f"{name}: {found.left} of {found.jobs} training jobs remain, about "
    said += f"{duration(found.seconds)} one at a time"
    if found.rough:
        said += (
            f" (rough: from the operations of {', '.join(found.rough)} and the speed of this "
            "machine; several times more or less is possible)"
        )
    total = readable_size(sum(found.space.values()))
    parts = disk.parts_of(found.space)
    return f"{said}; {total} will be written ({parts}), {readable_size(found.free)} free."


def _is_of(written: Mapping[str, Any], recipe: Mapping[str, Any], digest: str) -> bool:
    """Whether a job was trained with a recipe on a split; one that failed is not retried either."""
    return bool(written["settings"] == recipe and written["split_sha256"] == digest)


def _seconds_per_image(written: Mapping[str, Any]) -> float:
    """Of a finished job: for each training image in an epoch, validation included."""
    images = sum(
        written["epochs"][fold] * count for fold, count in written["train_examples"].items()
    )
    return float(written["seconds"] / images)


def _by_operations(
    networks: Mapping[str, str], contents: Gate, images: Images, recipe: Mapping[str, Any]
) -> dict[str, float]:
    """The same of models without a finished job, from the operations of their `networks`."""
    if not networks:
        return {}
    torch.set_num_threads(recipe["threads"])
    speed = SHARE_OF_PEAK * peak(side=2048, rounds=3)
    # Validation passes an image forward once in every epoch.
    validated = images.validation.total() / images.train.total()
    channels, size = contents.input.channels, contents.input.shape[:-1]
    found = {}
    for model, name in networks.items():
        network = architecture(name, channels, size, recipe["weights"] != "none")
        outline = network.outline(len(contents.classes))
        step, forward = operations(outline, len(channels), network.size)
        found[model] = (step + validated * forward) / speed
    return found


def _space(
    config: Config, name: str, contents: Gate, images: Images, keep_models: str
) -> dict[str, int]:
    """The bytes that the runs still write, by kind."""
    block, shape = config["experiments"][name], contents.input.shape[:-1]
    sizes = [
        disk.model_bytes(name, len(contents.classes), contents.input.channels, shape)
        for name in block["grid"]["networks"].values()
    ]
    own_folds = images.folds(1)
    tested = sum(images.test[fold] for fold in own_folds)
    written = disk.written_by_runs(config, name, sizes, keep_models, len(own_folds), tested)
    needed = {what: disk.missing_bytes(folder, bytes_) for what, folder, bytes_ in written}
    # How many train at a time is Snakemake's to decide: what all of them need is at least this.
    return needed | {"checkpoints of a run": disk.checkpoint_bytes(block, sizes, at_once=1)}
