"""The space that the run will need, against the space that there is."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleeting import registry
from fleeting.config.loading import Config
from fleeting.doctor import used
from fleeting.doctor.databases import Database
from fleeting.doctor.findings import Finding, fine, problem
from fleeting.doctor.machine import Devices, jobs_at_once
from fleeting.doctor.units import size
from fleeting.obstacles import existing, writable
from fleeting.training.architecture import COLOURS, architecture
from fleeting.training.checkpoint import KEPT

SUBJECT = "disk"
#: The report's limit; figures and tables are far below it.
REPORT_BYTES = 50_000_000
#: History, predictions, logs and Snakemake's metadata of a run, rounded up.
RUN_BYTES, RUN_FILES = 100_000, 15
#: For downloaded packages, unpacked, and the locks of the devices' slots.
TEMPORARY_BYTES = 200_000_000
#: The most that a checkpoint holds, in sizes of the model: AdamW keeps two more numbers a weight.
CHECKPOINT_MODELS = 3
#: Models of protocols with more folds are only kept where an experiment asks for it.
FEW_FOLDS = 10


@dataclass(frozen=True)
class Space:
    """What a file system has left for this user; `files` is None where it sets no limit."""

    bytes: int
    files: int | None


def free_space(folder: Path) -> Space:
    """The space of the file system that an existing folder is on."""
    found = os.statvfs(folder)
    return Space(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def look(config: Config, databases: list[Database], devices: Devices) -> Iterator[Finding]:
    """Whether the results folder can be written to and has the space.

    Args:
        config: complete.
        databases: with the counts of their frames, as far as they could be read.
        devices: what the runs train on.
    """
    results = Path(config["results"])
    folder = existing(results)
    if not writable(folder):
        yield problem(
            SUBJECT,
            f"{results}: nothing can be written there: {folder} is read-only or another user's",
            "Set `results` in the config to a folder that you can write to.",
        )
        return
    needs, files = _needs(config, databases, devices)
    total = sum(needs.values())
    space = free_space(folder)
    parts = ", ".join(f"{name} {size(number)}" for name, number in needs.items() if number)
    text = f"{results}: at most {size(total)} will be written ({parts}), {size(space.bytes)} free"
    uncounted = ", ".join(found.name for found in databases if not found.frames)
    if uncounted:
        text += f"; the crops of {uncounted} are not counted"
    if total > space.bytes:
        remedy = "Free some space, or set `results` to a folder on a larger disk"
        if needs["models"]:
            remedy += "; or set keep_models to none"
        yield problem(SUBJECT, text, f"{remedy}.")
    else:
        yield fine(SUBJECT, f"{text} (quotas are not checked)")
    if space.files is not None and files > space.files:
        yield problem(
            SUBJECT,
            f"{results}: about {files} files will be written, and the file system can hold "
            f"{space.files} more",
            "Remove files there, or set `results` to a folder on another disk.",
        )
    yield from _temporary()


def model_bytes(model: str, classes: int) -> int:
    """The bytes of a model's weights, for colour images of 224 pixels."""
    network = architecture(model, COLOURS, (224, 224), pretrained=False).outline(classes)
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _needs(
    config: Config, databases: list[Database], devices: Devices
) -> tuple[dict[str, int], int]:
    """Bytes by what is written, and the number of files. What is there already is not counted."""
    results = Path(config["results"])
    pixels = {name: _pixels(block, databases) for name, block in used.crops(config).items()}
    frames = sum(sum(found.frames.values()) for found in databases)
    # A PNG is hardly ever larger than its pixels, and no input stores more than all crops.
    crops = sum(max(0, count - _bytes(results / "faces" / name)) for name, count in pixels.items())
    inputs = sum(
        max(0, pixels[block["crop"]] - _bytes(results / "inputs" / name))
        for name, block in used.inputs(config).items()
    )
    models = checkpoints = runs = 0
    for name, block in config["experiments"].items():
        grid, there = block["grid"], results / "experiments" / name / "runs"
        cells = len(grid["lrs"]) * grid["repeats"]
        states = [model_bytes(model, len(block["label_map"])) for model in grid["models"]]
        runs += len(grid["models"]) * cells * block["parts"]
        kept = {
            "all": cells * sum(states),
            # Those of at most two configurations: the paper's fixed choice, and validation's.
            "chosen": 2 * grid["repeats"] * max(states),
            "none": 0,
        }
        folds = _folds(block["protocol"])
        models += max(0, kept[_keeps(config, block, folds)] * (folds or 1) - _bytes(there))
        at_once = min(
            len(states) * cells, jobs_at_once(config, devices, block["recipe"]["threads"])
        )
        # Besides the kept ones, the one that is being written.
        checkpoints = max(checkpoints, at_once * (KEPT + 1) * CHECKPOINT_MODELS * max(states))
    needs = {
        "models": models,
        "checkpoints of the runs in training": checkpoints,
        "crops": crops,
        "inputs": inputs,
        "records of runs": RUN_BYTES * runs,
        "report": REPORT_BYTES,
    }
    return needs, frames * len(pixels) + RUN_FILES * runs


def _pixels(crop: dict[str, Any], databases: list[Database]) -> int:
    """The bytes of a crop's pixels; crops that are not resized are taken for 224 x 224."""
    side = crop["size"] or 224
    return sum(3 * side**2 * found.frames.get(crop["frames"]["kind"], 0) for found in databases)


def _folds(protocol: dict[str, Any]) -> int | None:
    module = registry.load("protocol", protocol["kind"])
    folds: int | None = module.folds(module.Settings.model_validate(protocol))
    return folds


def _keeps(config: Config, block: dict[str, Any], folds: int | None) -> str:
    """Which models of an experiment stay on disk."""
    if block["keep_models"] is not None:
        return str(block["keep_models"])
    return str(config["keep_models"]) if folds and folds <= FEW_FOLDS else "none"


def _bytes(folder: Path) -> int:
    """The bytes of the files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _temporary() -> Iterator[Finding]:
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        yield problem(
            SUBJECT,
            "no folder for temporary files can be written to",
            "Set TMPDIR to a folder on a disk of this machine.",
        )
        return
    free = free_space(folder).bytes
    if free < TEMPORARY_BYTES:
        yield problem(
            SUBJECT,
            f"{folder}: {size(free)} free for temporary files, {size(TEMPORARY_BYTES)} are needed",
            "Free some space there, or set TMPDIR to a folder on another disk of this machine.",
        )
    else:
        yield fine(SUBJECT, f"{folder}: {size(free)} free for temporary files")
