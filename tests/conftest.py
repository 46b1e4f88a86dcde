"""What several test files share."""

import fcntl
import gc
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fleeting.startup  # noqa: F401
from pipeline import Project
from small_runs import small_split

gc.enable()  # A test session is long, unlike a job.


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose results are complete; copy it before changing anything.

    Its path holds what shells and Snakemake might trip over. One for all of pytest's processes: the
    first to ask makes it, the others wait.
    """
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    folder = session / "pipeline" / "it's a (project) ^1"
    done = session / "pipeline.done"
    with (session / "pipeline.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # What a process that failed to make it left.
            shutil.rmtree(folder, ignore_errors=True)
            Project.new(folder).run()
            done.touch()
    return Project(folder)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the packed images of `small_split`."""
    small_split(tmp_path)
    return tmp_path
