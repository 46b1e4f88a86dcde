"""What several test files share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from pipeline import Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose results are complete; copy it before changing anything.

    Its path holds what shells and Snakemake might trip over.
    """
    folder = tmp_path_factory.mktemp("pipeline") / "it's a (project) ^1"
    project = Project.new(folder)
    project.run()
    return project
