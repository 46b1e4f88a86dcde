"""What the doctor says of databases."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from fleeting.config.loading import Config, load
from fleeting.doctor import databases
from fleeting.doctor.findings import Finding
from fleeting.doctor.known import KNOWN, differences
from fleeting.synthetic.database import write_all
from pipeline import CONFIG, ROOTS, SYNTHETIC


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor")
    write_all(folder / "databases", SYNTHETIC)
    return folder


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the databases that a test may change."""
    shutil.copytree(drawn, tmp_path / "own")
    return tmp_path / "own"


def config_of(folder: Path, **more: Any) -> Config:
    block = {**deepcopy(CONFIG), **more, "results": str(folder / "results")}
    places = {name: {"root": str(folder / "databases" / root)} for name, root in ROOTS.items()}
    return load({**block, "databases": places})


def levels(findings: list[Finding]) -> set[str]:
    return {finding.level for finding in findings}


def only_problem(findings: list[Finding]) -> str:
    (found,) = [finding for finding in findings if finding.level == "problem"]
    assert "is not used" in found.remedy, "the database can be removed"
    return found.text


def table(folder: Path, database: str) -> Path:
    return next((folder / "databases" / ROOTS[database]).glob("*.xlsx"))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    book = openpyxl.load_workbook(path)
    change(book.worksheets[0])
    book.save(path)


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_a_database_is_counted_as_the_pipeline_counts_it(drawn: Path, name: str) -> None:
    found = databases.look(name, config_of(drawn))
    assert "problem" not in levels(found.findings)
    first = found.findings[0].text
    assert " rows = " in first
    assert "2 subjects" in first
    assert found.frames["phases"] > 0
    texts = " ".join(finding.text for finding in found.findings)
    assert "raw frames are below" in texts
    assert "not the counts of" in texts, "drawn, but not declared as synthetic"


def test_synthetic_databases_need_not_have_the_known_counts(drawn: Path) -> None:
    synthetic = {"synthetic": SYNTHETIC, "results": str(drawn)}
    places = {
        "casme2": {
            "table": str(table(drawn, "casme2")),
            "frames": str(drawn / "databases" / "CASME2"),
        }
    }
    found = databases.look("casme2", load({"databases": places, **synthetic}))
    assert any("synthetic: its counts differ" in finding.text for finding in found.findings)
    later = drawn / "databases" / "later"
    missing = {"casme2": {"table": str(later / "casme2.xlsx"), "frames": str(later / "frames")}}
    found = databases.look("casme2", load({"databases": missing, **synthetic}))
    assert [finding.level for finding in found.findings] == ["note"]
    assert found.frames == {}


def test_a_missing_root_is_a_problem_unless_its_annotations_are_kept(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    text = only_problem(databases.look("samm", config).findings)
    assert "databases/SAMM: no such folder" in text
    annotations = tmp_path / "results" / "annotations" / "samm.tsv"
    annotations.parent.mkdir(parents=True)
    annotations.write_text("")
    assert levels(databases.look("samm", config).findings) == {"note"}


def test_a_root_without_a_table_names_what_is_looked_for(folder: Path) -> None:
    table(folder, "samm").unlink()
    text = only_problem(databases.look("samm", config_of(folder)).findings)
    assert "SAMM_Micro_FACS_Codes_v2.xlsx" in text


def test_a_wrong_column_is_named(folder: Path) -> None:
    def change(sheet: Any) -> None:
        for cell in sheet[1]:
            if cell.value == "OnsetFrame":
                cell.value = "Begin"

    edit(table(folder, "casme2"), change)
    text = only_problem(databases.look("casme2", config_of(folder)).findings)
    assert "no column for the onset" in text


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no workbook"])
def test_a_corrupt_spreadsheet_is_a_finding(folder: Path, content: bytes) -> None:
    path = table(folder, "casme2")
    path.write_bytes(content)
    found = databases.look("casme2", config_of(folder))
    assert str(path) in only_problem(found.findings)
    assert found.frames == {}


def test_frames_that_are_missing_are_counted(folder: Path) -> None:
    before = databases.look("samm", config_of(folder)).frames["phases"]
    clip = next((folder / "databases" / "SAMM").rglob("*.jpg")).parent
    shutil.rmtree(clip)
    found = databases.look("samm", config_of(folder))
    assert 0 < found.frames["phases"] < before
    texts = [finding.text for finding in found.findings if finding.level == "note"]
    assert any("frames that cannot be used: clip_missing" in text for text in texts)


def test_no_frame_at_all_is_a_problem(folder: Path) -> None:
    for path in (folder / "databases" / "SAMM").rglob("*.jpg"):
        path.unlink()
    found = databases.look("samm", config_of(folder))
    assert "There are no images at all" in only_problem(found.findings)
    assert " rows = " in found.findings[0].text, "what could be read is said"


def test_a_folder_that_cannot_be_read_is_a_finding(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/data/SAMM")

    monkeypatch.setattr(databases.find, "table_path", refuse)
    assert "/data/SAMM: cannot be read" in only_problem(
        databases.look("samm", config_of(drawn)).findings
    )


def test_known_counts_hold_their_own_rows() -> None:
    for name, known in KNOWN.items():
        if known.emotions:
            low = sum(count for count, _ in known.emotions.values())
            high = sum(count for _, count in known.emotions.values())
            assert low <= known.rows[0] <= known.rows[1] <= high, name


def test_differences_from_the_known_counts() -> None:
    samm = KNOWN["samm"]
    emotions = {name: low for name, (low, _) in samm.emotions.items()}
    assert differences(samm, 159, 0, 29, emotions) == []
    fewer = {**emotions, "anger": 55}
    assert differences(samm, 159, 2, 29, fewer) == [], "two rows were left out"
    assert differences(samm, 159, 0, 29, fewer) == ["anger 55 instead of 57"]
    assert differences(samm, 160, 0, 30, {**emotions, "rage": 1}) == [
        "160 rows instead of 159",
        "30 subjects instead of 29",
        "rage 1 instead of 0",
    ]
