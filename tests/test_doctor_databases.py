"""What the doctor says of databases."""

import shutil
from collections import Counter
from copy import deepcopy
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest

from fleeting.config.loading import load
from fleeting.doctor import databases
from fleeting.doctor.findings import Finding, findings_of
from fleeting.doctor.reference_counts import REFERENCE, differences
from fleeting.layout import Config
from pipeline import CONFIG, ROOTS, SYNTHETIC

Frames = dict[str, Counter[str]]


@pytest.fixture
def folder(database_files: Path, tmp_path: Path) -> Path:
    """A copy of the databases that a test may change."""
    shutil.copytree(database_files, tmp_path / "own/databases")
    return tmp_path / "own"


def config_of(folder: Path, **databases: Any) -> Config:
    block = {**deepcopy(CONFIG), "results": str(folder / "results")}
    roots = {name: {"root": str(folder / "databases" / root)} for name, root in ROOTS.items()}
    return load({**block, "databases": {**roots, **databases}})


def examine(name: str, config: Config) -> tuple[list[Finding], Frames]:
    frames: Frames = {}
    with TemporaryDirectory() as tables:
        examined = partial(databases.examine, name, config, frames, Path(tables))
        return list(findings_of(examined)), frames


def of_level(findings: list[Finding], level: str) -> str:
    return "\n".join(found.text for found in findings if found.level == level)


def table(folder: Path, name: str) -> Path:
    return next((folder / "databases" / ROOTS[name]).glob("*.xlsx"))


def test_a_database_is_counted_by_the_stages_themselves(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = sorted(folder.rglob("*"))
    found, frames = examine("samm", config_of(folder))
    assert not of_level(found, "problem")
    assert "2 subjects" in of_level(found, "fine")
    assert "not the counts of" in of_level(found, "note")
    assert "rows and images excluded" in of_level(found, "note")
    assert frames["samm"]["phases"] > 0
    assert "rows read =" in caplog.text
    assert all(finding.remedy for finding in found if finding.level == "note")
    assert sorted(folder.rglob("*")) == before, "nothing is written"


def test_synthetic_databases_need_not_have_the_reference_counts_or_exist(folder: Path) -> None:
    def config(table: Path, frames: Path) -> Config:
        places = {"casme2": {"table": str(table), "frames": str(frames)}}
        return load({"databases": places, "synthetic": SYNTHETIC, "results": str(folder)})

    there = config(table(folder, "casme2"), folder / "databases" / "CASME2")
    found, _ = examine("casme2", there)
    assert "counts of" not in of_level(found, "note")
    later = folder / "databases" / "later"
    (only,), frames = examine("casme2", config(later / "casme2.xlsx", later / "frames"))
    assert only.level == "note"
    assert frames == {}


def test_a_missing_root_is_a_problem_unless_its_annotations_are_kept(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    assert "databases/SAMM: no such folder" in of_level(examine("samm", config)[0], "problem")
    annotations = tmp_path / "results" / "annotations" / "samm.tsv"
    annotations.parent.mkdir(parents=True)
    annotations.write_text("")
    assert [found.level for found in examine("samm", config)[0]] == ["note"]


def test_what_stops_a_stage_is_a_problem_with_its_own_text(folder: Path) -> None:
    config, path = config_of(folder), table(folder, "casme2")
    book = openpyxl.load_workbook(path)
    for cell in book.worksheets[0][1]:
        cell.value = "Begin" if cell.value == "OnsetFrame" else cell.value
    book.save(path)
    found, frames = examine("casme2", config)
    assert "no column for the onset" in of_level(found, "problem")
    assert frames == {}
    path.write_bytes(b"PK\x03\x04 corrupt")
    assert str(path) in of_level(examine("casme2", config)[0], "problem")
    path.unlink()
    assert "no table of casme2" in of_level(examine("casme2", config)[0], "problem")


def test_frames_that_are_missing_are_counted_and_none_at_all_is_a_problem(folder: Path) -> None:
    config, root = config_of(folder), folder / "databases" / "SAMM"
    before = examine("samm", config)[1]["samm"]["phases"]
    shutil.rmtree(next(root.rglob("*.jpg")).parent)
    found, frames = examine("samm", config)
    assert 0 < frames["samm"]["phases"] < before
    assert "no folder" in of_level(found, "note")
    for path in root.rglob("*.jpg"):
        path.unlink()
    found, _ = examine("samm", config)
    assert "There are no images at all" in of_level(found, "problem")
    assert "2 subjects" in of_level(found, "fine"), "what could be read is said"


def test_reference_counts_add_up() -> None:
    for name, known in REFERENCE.items():
        if known.emotions:
            low = sum(count for count, _ in known.emotions.values())
            high = sum(count for _, count in known.emotions.values())
            assert low <= known.rows[0] <= known.rows[1] <= high, name


def test_differences_from_the_reference_counts() -> None:
    samm = REFERENCE["samm"]
    emotions = {name: low for name, (low, _) in samm.emotions.items()}
    assert differences(samm, 159, 0, 29, emotions) == []
    fewer = {**emotions, "anger": 55}
    assert differences(samm, 159, 2, 29, fewer) == [], "two rows were excluded"
    assert differences(samm, 159, 0, 29, fewer) == ["anger 55 instead of 57"]
    assert len(differences(samm, 160, 0, 30, {**emotions, "rage": 1})) == 3
