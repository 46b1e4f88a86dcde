"""The space that the run will need, against the space that there is."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fleeting import layout, registry
from fleeting.config.folds import fold_count, kept_models
from fleeting.doctor.findings import Finding, fine, note, problem, readable_size
from fleeting.doctor.machine import jobs_at_once
from fleeting.layout import Config
from fleeting.preflight import nearest_existing, unwritable
from fleeting.splits import labels
from fleeting.splits.image_folders import no_links
from fleeting.training.architecture import COLOURS, architecture
from fleeting.training.checkpoint import KEPT
from fleeting.training.locks import acquire

#: History, predictions, logs and Snakemake's metadata of a run, rounded up.
RUN_BYTES = 100_000
#: Of a prediction in a trace, rounded up.
TRACE_ROW_BYTES = 60
#: The most that a checkpoint holds, in sizes of the model: AdamW keeps two more numbers a weight.
#: Where an earlier epoch may be tested, its weights come on top.
CHECKPOINT_MODELS = 3
REMEDY = (
    "Free some space, set `results` to a folder on a larger disk, or keep no models "
    "(`keep_models: none`)."
)


def examine(config: Config, frames: dict[str, Counter[str]]) -> Iterator[Finding]:
    """Whether the results folder can be written to and has the space.

    Args:
        config: complete.
        frames: how many frames are on disk, by database and selection; a database that is missing
            here is not counted.
    """
    results = Path(config["results"])
    if text := unwritable(results):
        yield problem(text, "")
        return
    yield from _trial(results)
    needed: Counter[str] = Counter()
    for what, folder, bytes_ in _written(config, frames):
        needed[what] += missing_bytes(folder, bytes_)
    # The runs of one experiment train at the same time; those of several hardly ever do.
    needed["checkpoints"] = max(
        checkpoint_bytes(
            block, model_sizes(config, block), jobs_at_once(config, block["recipe"]["threads"])
        )
        for block in config["experiments"].values()
    )
    total, free = needed.total(), free_bytes(results)
    text = (
        f"{results}: at most {readable_size(total)} will be written ({parts_of(needed)}), "
        f"{readable_size(free)} free"
    )
    if uncounted := [name for name in config["databases"] if name not in frames]:
        text += f"; the crops of {', '.join(uncounted)} are not counted"
    if total <= free:
        yield fine(f"{text} (quotas are not checked)")
    else:
        yield problem(text, REMEDY)


def free_bytes(results: Path) -> int:
    """The space that is left for a results folder, which need not exist yet."""
    return shutil.disk_usage(nearest_existing(results)).free


def missing_bytes(folder: Path, bytes_: int) -> int:
    """What will be written of a folder's `bytes_`: existing files are not written again."""
    return max(0, bytes_ - sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def parts_of(needed: Mapping[str, int]) -> str:
    """What the space is needed for, for example `models 17 GB, checkpoints 400 MB`."""
    return ", ".join(f"{what} {readable_size(count)}" for what, count in needed.items() if count)


@cache
def model_bytes(
    name: str,
    classes: int,
    channels: Sequence[str] = COLOURS,
    size: Sequence[int] = (224, 224),
) -> int:
    """The bytes of a network's weights; the arguments after the first two are the input's."""
    network = architecture(name, channels, size, pretrained=False).outline(classes)
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def written_by_runs(
    config: Config, name: str, sizes: Sequence[int], kept: str, folds: int, tested: int
) -> Iterator[tuple[str, Path, int]]:
    """The most that an experiment's runs write: the kind of files, their folder and their bytes.

    Args:
        config: complete, or with `results` and the experiment alone.
        name: the experiment's.
        sizes: the bytes of each model of its grid.
        kept: which models stay; with `chosen`, all of them until the evaluation removes the others.
        folds: how many each run has.
        tested: how many test examples each run has, over all folds.
    """
    results, block = Path(config["results"]), config["experiments"][name]
    grid = block["grid"]
    repeated = len(grid["lrs"]) * grid["repeats"]
    what, written = "models", 0 if kept == "none" else repeated * sum(sizes) * folds
    if block["trace"]:
        what = "models and traces"
        predictions = repeated * len(sizes) * tested * block["recipe"]["epochs"]
        written += TRACE_ROW_BYTES * predictions
    yield what, results / "experiments" / name / "runs", written
    other = RUN_BYTES * len(layout.training_jobs(config, name))
    yield "other files of runs", results / "logs/training" / name, other


def checkpoint_bytes(experiment: dict[str, Any], sizes: Sequence[int], at_once: int) -> int:
    """The most bytes of checkpoints that the runs training at the same time keep.

    Args:
        experiment: its block.
        sizes: the bytes of each model of its grid.
        at_once: how many runs there is room for.
    """
    grid = experiment["grid"]
    runs = len(grid["models"]) * len(grid["lrs"]) * grid["repeats"]
    # Besides the kept ones, the one that is being written.
    recipe = experiment["recipe"]
    held = CHECKPOINT_MODELS + (recipe["tested_epoch"] != "last") + bool(recipe["weight_average"])
    return min(runs, at_once) * (KEPT + 1) * held * max(sizes)


def model_sizes(config: Config, experiment: dict[str, Any]) -> list[int]:
    """The bytes of each model of an experiment's grid, before its data are known."""
    classes = len(labels.resolve(experiment["label_map"], config["databases"]).classes)
    networks = experiment["grid"]["networks"].values()
    return [model_bytes(network, classes) for network in networks]


def _trial(results: Path) -> Iterator[Finding]:
    """Whether the file system of the results has links and locks, tried there."""
    try:
        with TemporaryDirectory(dir=nearest_existing(results)) as trial:
            if reason := no_links(Path(trial)):
                yield note(
                    f"symbolic links cannot be made in {results} ({reason})",
                    "The run works without them; only the view of a split for ImageFolder stays "
                    "empty.",
                )
            acquire(Path(trial) / "lock")
    except OSError as error:
        yield problem(
            f"files in {results} cannot be made and locked, as training jobs do ({error.strerror})",
            "Name a folder on another disk under `results`.",
        )


def _written(config: Config, frames: dict[str, Counter[str]]) -> Iterator[tuple[str, Path, int]]:
    """The most that a run writes: the kind of files, their folder and their bytes."""
    results = Path(config["results"])
    crops: Counter[str] = Counter()
    pixels = {}
    for crop in layout.crops(config):
        # A PNG is hardly ever larger than its pixels; crops that are not resized count as 224.
        side = config["crops"][crop]["size"] or 224
        selection = layout.selection_label(config, crop)
        crops[crop] = sum(by_selection[selection] for by_selection in frames.values())
        pixels[crop] = 3 * side**2 * crops[crop]
        yield "crops", results / "faces" / crop, pixels[crop]
    for name in layout.inputs(config):
        block = config["inputs"][name]
        # No input stores more values than all of its crops; a flow's have four bytes, not one.
        size = 4 if getattr(registry.load("input", block["kind"]), "ONE_BOX", False) else 1
        yield "inputs", results / "inputs" / name, size * pixels[block["crop"]]
    for name, block in config["experiments"].items():
        kept, folds = kept_models(config, block), fold_count(config, block) or 1
        sizes = model_sizes(config, block)
        # No example is made without a crop of its own, and hardly any is tested twice.
        tested = crops[config["inputs"][block["input"]]["crop"]]
        yield from written_by_runs(config, name, sizes, kept, folds, tested)
