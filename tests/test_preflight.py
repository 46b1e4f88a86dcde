"""A full disk and a results folder that cannot be written to: named, and resumed from."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES, ENOSPC, EROFS
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fleeting.examples import arrays
from fleeting.files import write_bytes
from fleeting.jobs import explain
from fleeting.preflight import nearest_existing, obstacle, unquotable
from pipeline import Project


def test_what_keeps_from_writing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "deep" / "results"
    assert nearest_existing(folder) == tmp_path
    assert obstacle(folder) is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    assert "only 5.0 MB are free" in str(obstacle(folder))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in str(obstacle(folder))


def test_an_apostrophe_beside_what_a_shell_expands_cannot_be_quoted() -> None:
    assert unquotable(["it's a (project) ^1", "$HOME", '"a"']) is None
    for place in ("it's $HOME", "it's `x`", 'it\'s "a"'):
        assert str(unquotable(["/data", place])).startswith(place)


@pytest.mark.parametrize(
    ("number", "word"), [(ENOSPC, "no room left"), (EROFS, "refuses access"), (EACCES, "refuses")]
)
def test_the_systems_errors_are_no_bugs(number: int, word: str) -> None:
    text = explain(OSError(number, "Reason", "results/x"))
    assert text.startswith("results/x: Reason: ")
    assert word in text
    assert "bug" not in text


def why_no_mount(folder: Path) -> str:
    """Why this user cannot mount a small disk; empty: it can."""
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    try:
        with mounted(folder, "-t", "tmpfs", "tmpfs"):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"nothing can be mounted here: {error}"


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder to mount a disk at."""
    if reason := why_no_mount(tmp_path / "disk"):
        pytest.skip(reason)
    return tmp_path / "disk"


def write_arrays(folder: Path) -> None:
    made = (np.zeros((128, 128, 3), np.uint8) for _ in range(30))
    arrays.write(folder / "t.npy", made, 30)


@pytest.mark.parametrize(
    "write", [write_arrays, lambda folder: write_bytes(bytes(2_000_000), folder / "f")]
)
def test_a_full_disk_is_said_and_leaves_no_part_of_a_file(
    disk: Path, write: Callable[[Path], None]
) -> None:
    with mounted(disk, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        with pytest.raises(OSError, match="No space left") as raised:
            write(disk)
        assert raised.value.errno == ENOSPC
        assert list(disk.iterdir()) == []
        resize(disk, "10m")
        write(disk)


@pytest.mark.slow
def test_a_run_on_a_full_disk_is_continued_when_there_is_space(
    disk: Path, finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    expected = project.tables()
    results = project.folder / "results"
    for name in ("faces", "inputs", "experiments", "comparison"):
        shutil.rmtree(results / name)
    before = results.rename(tmp_path / "before")
    # What goes before the crops takes 0.6 MB, the crops 1.3 MB.
    with mounted(results, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        subprocess.run(["cp", "-a", f"{before}/.", results], check=True)
        stopped = project.snakemake("faces")
        assert stopped.status != 0
        assert "Error in rule crop" in stopped.text
        assert " MB are free on the disk of results" in stopped.text
        assert "Traceback" not in stopped.text
        resize(results, "1g")
        project.run("faces")
        redone = project.tables()
        assert redone.items() <= expected.items()
        assert "faces/tiny/casme.tsv" in redone


@pytest.mark.slow
def test_results_that_cannot_be_written_to_are_said(
    disk: Path, finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "project")
    results = project.folder / "results"
    for path in (results / "experiments/tiny/tables").iterdir():
        path.unlink()
    with mounted(results, "--bind", str(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
        stopped = project.snakemake()
        assert stopped.status != 0
        assert "Note: results cannot be written to" in stopped.text
        assert "Traceback" not in stopped.text
