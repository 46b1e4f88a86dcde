"""What an edit of a search for the apex runs again."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fleeting import tsv
from fleeting.examples.apex import APEXES
from pipeline import Project

pytestmark = pytest.mark.slow

PAIRS, IMAGES = (f"results/inputs/{name}/casme2.tsv" for name in ("pairs", "tiny"))
SEARCH = Counter(find_apex=1, pack_inputs=1)


def add_pairs(config: dict[str, Any]) -> None:
    # Of these databases only the annotated frames are on disk: with such a step no others are
    # wanted, and the apex is what is found between onset and offset.
    frames = {"kind": "clip", "step": 1000}
    config["crops"]["clip"] = {"size": 32, "box": "clip", "frames": frames}
    config["inputs"]["pairs"] = {"kind": "onset_apex", "crop": "clip", "apex": "motion"}
    config["experiments"]["pairs"] = {**config["experiments"]["tiny"], "input": "pairs"}


def test_a_search_depends_on_its_own_method(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(add_pairs)
    assert project.run(PAIRS).jobs == Counter(select_frames=1, crop=1) + SEARCH
    rows = tsv.read_rows((project.folder / PAIRS).with_suffix(".apexes.tsv"), APEXES)
    sound = [row for row in rows if row["found"]]
    assert sound
    assert all(row["used"] == row["stated"] for row in sound)
    # A neighbour stands in for a frame that is not on disk.
    assert all(abs(int(row["found"]) - int(row["stated"])) <= 1 for row in sound)
    for name in ("apexes/difference.py", "flows/tvl1.py"):
        project.edit(f"fleeting/examples/{name}")
    assert not project.run("-n", PAIRS).jobs
    project.edit("fleeting/examples/find_apex.py")
    assert project.run("-n", PAIRS).jobs == SEARCH
    assert not project.run("-n", IMAGES).jobs, "an input without a search"


@pytest.mark.parametrize("name", ["apexes/motion.py", "flows/dis.py"])
def test_an_edit_of_the_method_searches_again(finished: Project, tmp_path: Path, name: str) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(add_pairs)
    project.run(PAIRS)
    project.edit(f"fleeting/examples/{name}")
    assert project.run("-n", PAIRS, IMAGES).jobs == SEARCH
