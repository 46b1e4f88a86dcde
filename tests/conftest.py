"""What several test files share."""

import fcntl
import gc
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fleeting.startup  # noqa: F401
from fleeting.synthetic.database import write_all
from pipeline import SYNTHETIC, Project
from small_runs import small_split

gc.enable()  # A test session is long, unlike a job.
# Where it is set, every job of every project compiles all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def made_once(session: Path, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that all of pytest's processes share: the first to ask makes it, others wait."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    folder, done = session / name, session / f"{name}.done"
    with (session / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # What a process that failed to make it left.
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def database_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic databases of `pipeline.SYNTHETIC`; copy them before changing anything."""
    session = tmp_path_factory.getbasetemp()
    return made_once(session, "databases", lambda folder: write_all(folder, SYNTHETIC))


@pytest.fixture(scope="session")
def finished(database_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose results are complete; copy it before changing anything.

    Its path holds what shells and Snakemake might trip over.
    """
    session = tmp_path_factory.getbasetemp()
    name = "it's a (project) ^1"
    return Project(
        made_once(session, name, lambda folder: Project.new(folder, database_files).run())
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the packed images of `small_split`."""
    small_split(tmp_path)
    return tmp_path
