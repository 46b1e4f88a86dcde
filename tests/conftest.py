"""What several test files share."""

import gc
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

    Its path holds what shells and Snakemake might trip over.
    """
    folder = tmp_path_factory.mktemp("pipeline") / "it's a (project) ^1"
    project = Project.new(folder)
    project.run()
    return project


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the packed images of `small_split`."""
    small_split(tmp_path)
    return tmp_path
