"""The space that the run will need, against the space that there is."""

import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fleeting import layout
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
#: The most that a checkpoint holds, in sizes of the model: AdamW keeps two more numbers a weight.
#: Where an earlier epoch may be tested, its weights come on top.
CHECKPOINT_MODELS = 3


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
        # Existing files are not written again.
        existing = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        needed[what] += max(0, bytes_ - existing)
    # The runs of one experiment train at the same time; those of several hardly ever do.
    blocks = config["experiments"].values()
    needed["checkpoints"] = max(_checkpoint_bytes(config, block) for block in blocks)
    total, free = needed.total(), shutil.disk_usage(nearest_existing(results)).free
    parts = ", ".join(f"{what} {readable_size(count)}" for what, count in needed.items() if count)
    text = (
        f"{results}: at most {readable_size(total)} will be written ({parts}), "
        f"{readable_size(free)} free"
    )
    if uncounted := [name for name in config["databases"] if name not in frames]:
        text += f"; the crops of {', '.join(uncounted)} are not counted"
    if total <= free:
        yield fine(f"{text} (quotas are not checked)")
    else:
        yield problem(
            text,
            "Free some space, set `results` to a folder on a larger disk, or keep fewer models "
            "(`keep_models`).",
        )


@cache
def model_bytes(model: str, classes: int) -> int:
    """The bytes of a model's weights, for colour images of 224 pixels."""
    network = architecture(model, COLOURS, (224, 224), pretrained=False).outline(classes)
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


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
    pixels = {}
    for crop in layout.crops(config):
        # A PNG is hardly ever larger than its pixels; crops that are not resized count as 224.
        side = config["crops"][crop]["size"] or 224
        selection = layout.selection_label(config, crop)
        count = sum(by_selection[selection] for by_selection in frames.values())
        pixels[crop] = 3 * side**2 * count
        yield "crops", results / "faces" / crop, pixels[crop]
    for name in layout.inputs(config):
        # No input stores more than all of its crops.
        yield "inputs", results / "inputs" / name, pixels[config["inputs"][name]["crop"]]
    for name, block in config["experiments"].items():
        grid = block["grid"]
        configurations = len(grid["models"]) * len(grid["lrs"])
        sizes = _model_sizes(config, block)
        choices = 2 if fold_count(block) == 1 else 3
        kept = {
            "all": grid["repeats"] * len(grid["lrs"]) * sum(sizes),
            # Of at most three choices: the paper's fixed one, validation's and the nested one.
            "chosen": grid["repeats"] * min(choices, configurations) * max(sizes),
            "none": 0,
        }
        folder = results / "experiments" / name / "runs"
        yield "models", folder, kept[kept_models(config, block)] * (fold_count(block) or 1)
        other = RUN_BYTES * len(layout.training_jobs(config, name))
        yield "other files of runs", results / "logs/training" / name, other


def _checkpoint_bytes(config: Config, experiment: dict[str, Any]) -> int:
    """The most bytes of checkpoints that the runs training at the same time keep."""
    grid, sizes = experiment["grid"], _model_sizes(config, experiment)
    runs = len(grid["models"]) * len(grid["lrs"]) * grid["repeats"]
    at_once = min(runs, jobs_at_once(config, experiment["recipe"]["threads"]))
    # Besides the kept ones, the one that is being written.
    held = CHECKPOINT_MODELS + (experiment["recipe"]["tested_epoch"] != "last")
    return at_once * (KEPT + 1) * held * max(sizes)


def _model_sizes(config: Config, experiment: dict[str, Any]) -> list[int]:
    classes = len(labels.resolve(experiment["label_map"], config["databases"]).classes)
    return [model_bytes(model, classes) for model in experiment["grid"]["models"]]
