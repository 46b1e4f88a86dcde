"""What the doctor says of the splits of the experiments, before any face is cropped."""

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fleeting.config.loading import load
from fleeting.doctor import databases, splits
from fleeting.doctor.findings import FINE, PROBLEM, Finding
from pipeline import CONFIG, ROOTS


def examine(files: Path, folder: Path, changes: Mapping[str, Any], **top: Any) -> list[Finding]:
    block = {**deepcopy(CONFIG), **top, "results": str(folder / "results")}
    for experiment in block["experiments"].values():
        experiment.update(changes)
    roots = {name: {"root": str(files / root)} for name, root in ROOTS.items()}
    config = load({**block, "databases": roots})
    frames: dict[str, Counter[str]] = {}
    for name in roots:
        list(databases.examine(name, config, frames, folder / "tables"))
    found = list(splits.examine(config, folder / "tables"))
    # A database that cannot be read is a problem already.
    databases.samples_table(folder / "tables", name).unlink()
    assert not list(splits.examine(config, folder / "tables"))
    return found


def test_examples_that_can_be_split_are_counted(database_files: Path, tmp_path: Path) -> None:
    for found in examine(database_files, tmp_path, {}):
        assert found.level == FINE
        assert "can be split, if each frame shows a face; folds: 1" in found.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": {"kind": "grouped", "folds": 99}}, "99 folds, each with a subject to"),
        ({"label_map": {"a": ["angst"], "b": ["bliss"]}}, "fewer than two classes of the label"),
        ({"exclude_subjects": ["samm/999"]}, "exclude_subjects: no example is of 'samm/999'"),
        ({"same_person": [["samm/999", "casme2/s1"]]}, "same_person: no example is of "),
    ],
)
def test_a_split_that_the_data_do_not_allow_is_a_problem(
    database_files: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    for found in examine(database_files, tmp_path, changes):
        assert found.level == PROBLEM
        assert message in found.text


def test_an_apex_that_is_searched_for_is_not_known_yet(
    database_files: Path, tmp_path: Path
) -> None:
    (experiment,) = CONFIG["experiments"].values()
    crops = {"clips": {"frames": "clip", "detector": "none"}}
    searched = {"kind": "difference", "crop": "clips", "apex": "motion"}
    inputs = {experiment.get("input", "paper"): searched}
    assert not examine(database_files, tmp_path, {}, crops=crops, inputs=inputs, accept_losses=True)
