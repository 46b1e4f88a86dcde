"""A full disk and a results folder that cannot be written to: said plainly, and gone on from."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ENOSPC, EROFS
from pathlib import Path

import numpy as np
import pytest
import torch

from fleeting.examples import pack
from fleeting.examples.base import Example
from fleeting.files import write_bytes
from fleeting.training.checkpoint import of_job
from fleeting.training.state import as_bytes
from pipeline import Project


def why_not() -> str:
    """Why this user cannot mount a small disk; empty: it can."""
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
            subprocess.run(["umount", folder], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            return f"nothing can be mounted here: {error}"
    return ""


WHY_NOT = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


#: Of an experiment, what is made of its runs.
UNDONE = [f"experiments/tiny/{name}" for name in ("runs", "evaluation", "tables", "figures")]
RUN = "experiments/tiny/runs/resnet18/lr1e-02/repeat1/part1"


SPLIT = "experiments/tiny/split.tsv"


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def write_without_end(path: Path) -> None:
    with path.open("wb") as file:
        while True:
            file.write(bytes(2**16))


def fill(folder: Path) -> None:
    """Prove that the disk stops a write, and leave it as it was."""
    probe = folder / "probe"
    with pytest.raises(OSError, match="No space left") as raised:
        write_without_end(probe)
    assert raised.value.errno == ENOSPC
    probe.unlink()


class Zeros:
    """In the place of an input: the arrays of examples that are made of no crop."""

    def array(self, pictures: object, settings: object) -> np.ndarray:
        return np.zeros((128, 128, 3), np.uint8)


def write_arrays(folder: Path) -> None:
    made = [({}, Example(str(number), "", ())) for number in range(30)]
    pack.write(folder / "t.npy", made, folder, Zeros(), None)


def write_model(folder: Path) -> None:
    write_bytes(as_bytes(torch.nn.Linear(600, 600).state_dict()), folder / "fold1.pt")


def write_checkpoint(folder: Path) -> None:
    with of_job(folder, 64 * "0") as checkpoints:
        checkpoints.save(1, 1, {"weights": torch.zeros(400_000)})


@pytest.mark.parametrize("write", [write_arrays, write_model, write_checkpoint])
def test_what_is_written_says_that_a_disk_is_full(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        fill(disk)
        with pytest.raises(OSError, match="No space left") as raised:
            write(disk)
        assert raised.value.errno == ENOSPC
        assert sum(path.stat().st_size for path in disk.iterdir()) < 1000
        resize(disk, "10m")
        write(disk)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


@pytest.mark.parametrize(
    ("size", "rule", "undone", "target", "made"),
    [
        # What goes before the crops takes 0.6 MB, the crops 1.3 MB.
        ("1m", "crop", ["faces", "inputs", "experiments", "comparison"], "splits", SPLIT),
        # All before the training takes 3 MB, a checkpoint of ResNet18 45 MB.
        ("80m", "train", UNDONE, "training", f"{RUN}/history.tsv"),
    ],
)
def test_a_full_disk_is_said_and_gone_on_from(
    finished: Project,
    tmp_path: Path,
    size: str,
    rule: str,
    undone: list[str],
    target: str,
    made: str,
) -> None:
    project = finished.copy(tmp_path / "project")
    expected = project.tables()
    project.configure(lambda config: config.update(checkpoint_every_minutes=0))
    results = project.folder / "results"
    for name in undone:
        shutil.rmtree(results / name)
    before = results.rename(tmp_path / "before")
    with mounted(results, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        subprocess.run(["cp", "-a", f"{before}/.", results], check=True)
        fill(results)
        stopped = project.snakemake(target)
        assert stopped.status != 0
        assert f"Error in rule {rule}" in stopped.text
        assert " MB are free on the disk of results" in stopped.text
        if rule == "train":
            assert "there is no room left to write" in stopped.text
        assert "Traceback" not in stopped.text
        resize(results, "1g")
        project.run(target)
        redone = project.tables()
        assert redone.items() <= expected.items()
        assert made in redone
        if rule == "train":
            # The first epoch's checkpoint fitted, the second's did not.
            record = results / RUN / "run.json"
            assert json.loads(record.read_text())["resumed"] == [[1, 1]]


def test_results_that_cannot_be_written_to_are_said(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "project")
    expected = project.tables()
    results = project.folder / "results"
    for path in (results / "experiments/tiny/tables").iterdir():
        path.unlink()
    with mounted(results, "--bind", str(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
        with pytest.raises(OSError, match="Read-only") as raised:
            (results / "probe").touch()
        assert raised.value.errno == EROFS
        stopped = project.snakemake()
        assert stopped.status != 0
        assert "Note: results cannot be written to." in stopped.text
        assert "Traceback" not in stopped.text
    project.run()
    assert project.tables() == expected
