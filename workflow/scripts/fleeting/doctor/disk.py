"""What the run will write, against the space that there is."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from fleeting import registry
from fleeting.config import Config
from fleeting.doctor.classes import Sizes
from fleeting.doctor.databases import Database
from fleeting.doctor.findings import Finding, fine, problem
from fleeting.doctor.grid import Grid
from fleeting.doctor.machine import Devices, jobs_at_once
from fleeting.doctor.units import size
from fleeting.obstacles import existing, writable
from fleeting.training.checkpoint import KEPT

SUBJECT = "disk"
#: The report's limit; figures and tables are far below it.
REPORT_BYTES = 50_000_000
#: History, predictions, records, logs and Snakemake's notes of a run, rounded up.
RUN_BYTES, RUN_FILES = 100_000, 15
#: For fetched packages, unpacked, and the locks of the devices' slots.
TEMPORARY_BYTES = 200_000_000


@dataclass(frozen=True)
class Space:
    """What a file system has left for this user; `files` is None where it sets no limit."""

    bytes: int
    files: int | None


def free_space(folder: Path) -> Space:
    """The space of the file system that an existing folder is on."""
    found = os.statvfs(folder)
    return Space(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def look(
    config: Config,
    databases: list[Database],
    sizes: Mapping[str, Sizes],
    devices: Devices,
) -> Iterator[Finding]:
    """Whether the results folder can be written to and has the space.

    Args:
        config: complete.
        databases: with their images, as far as they could be read.
        sizes: of the experiments' splits, by name.
        devices: what the runs train on.
    """
    results = Path(config["results"])
    folder = existing(results)
    if not writable(folder):
        yield problem(
            SUBJECT,
            f"{results}: nothing can be written there: {folder} is read-only or another user's",
            "Set `results` in the config to a folder of your own.",
        )
        return
    needs, files = _needs(config, databases, sizes, devices)
    total = sum(needs.values())
    space = free_space(folder)
    parts = ", ".join(f"{name} {size(number)}" for name, number in needs.items() if number)
    text = f"{results}: at most {size(total)} will be written ({parts}), {size(space.bytes)} free"
    uncounted = ", ".join(found.name for found in databases if found.images is None)
    if uncounted:
        text += f"; the crops of {uncounted} are not counted"
    if total > space.bytes:
        yield problem(
            SUBJECT,
            text,
            "Make room, or set `results` to a folder on a larger disk"
            + (
                "."
                if config["keep_models"] == "none"
                else "; or set keep_models to none: a model is then removed once it is tested."
            ),
        )
    else:
        yield fine(SUBJECT, f"{text} (a quota on your account is not seen)")
    if space.files is not None and files > space.files:
        yield problem(
            SUBJECT,
            f"{results}: about {files} files will be written, and the file system has place for "
            f"{space.files} more",
            "Remove files there, or set `results` to a folder on another disk.",
        )
    yield from _temporary()


def model_bytes(model: str, classes: int) -> int:
    """The bytes of a model's state, as model.pt holds it (some headers apart)."""
    with torch.device("meta"):
        state = registry.load("model", model).build(classes).state_dict()
    return sum(value.numel() * value.element_size() for value in state.values())


def _needs(
    config: Config,
    databases: list[Database],
    sizes: Mapping[str, Sizes],
    devices: Devices,
) -> tuple[dict[str, int], int]:
    """Bytes by what is written, and the number of files."""
    results = Path(config["results"])
    images = sum(len(found.images) for found in databases if found.images is not None)
    used = {config["experiments"][name]["crop"] for name in sizes}
    # What is there already is not written on top.
    # A crop's PNG is hardly ever larger than its pixels; the demo's are half of that.
    crops = sum(
        max(0, images * 3 * config["crops"][name]["size"] ** 2 - _bytes(results / "faces" / name))
        for name in used
    )
    packed = models = checkpoints = runs = links = 0
    for name, counts in sizes.items():
        block = config["experiments"][name]
        side = config["crops"][block["crop"]]["size"]
        split = counts.train + counts.validation + counts.test
        packed += max(0, 3 * side**2 * split - _bytes(results / "experiments" / name / "folds"))
        links += split
        grid = Grid.of(config["results"], name, block)
        runs += grid.runs
        states = {model: model_bytes(model, counts.classes) for model in grid.models}
        largest = max(states.values())
        left = {model: _lacking(grid.folders(model), "model.pt") for model in states}
        untrained = sum(_lacking(grid.folders(model), "run.json") for model in states)
        at_once = min(untrained, jobs_at_once(config, devices, block["recipe"]["threads"]))
        if config["keep_models"] == "none":
            # As many that wait for their test as there are in training.
            models += 2 * at_once * largest
        else:
            models += sum(state * left[model] for model, state in states.items())
        if config["keep_models"] == "chosen":
            # Copies of at most two cells: the paper's fixed choice, and validation's.
            models += 2 * grid.repeats * largest
        momentum = 2 if block["recipe"]["momentum"] else 1
        # Besides the kept ones, the one that is being written.
        checkpoints = max(checkpoints, at_once * (KEPT + 1) * momentum * largest)
    needs = {
        "models": models,
        "checkpoints of the runs in training": checkpoints,
        "crops": crops,
        "packed images": packed,
        "records of runs": RUN_BYTES * runs,
        "report": REPORT_BYTES,
    }
    return needs, images * len(used) + links + RUN_FILES * runs


def _bytes(folder: Path) -> int:
    """The bytes of the files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _lacking(folders: Sequence[Path], name: str) -> int:
    """In how many folders a file is missing."""
    return sum(not (folder / name).is_file() for folder in folders)


def _temporary() -> Iterator[Finding]:
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        yield problem(
            SUBJECT,
            "no folder for temporary files can be written to",
            "Set TMPDIR to a folder on this machine's own disk.",
        )
        return
    free = free_space(folder).bytes
    if free < TEMPORARY_BYTES:
        yield problem(
            SUBJECT,
            f"{folder}: {size(free)} free for temporary files, {size(TEMPORARY_BYTES)} are needed",
            "Make room there, or set TMPDIR to a folder on another disk of this machine.",
        )
    else:
        yield fine(SUBJECT, f"{folder}: {size(free)} free for temporary files")
