"""What the doctor says of databases and of the classes of an experiment."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from fleeting.config import Config, complete
from fleeting.doctor import classes, databases
from fleeting.doctor.findings import Finding
from fleeting.doctor.known import KNOWN, differences
from fleeting.synthetic.database import write_all
from pipeline import CONFIG, ROOTS, SYNTHETIC

PAPER = complete({"databases": {"casme2": {"root": "x"}}})["experiments"]["paper"]


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
    return complete({**block, "databases": places})


def levels(findings: list[Finding]) -> set[str]:
    return {finding.level for finding in findings}


def only_problem(findings: list[Finding]) -> str:
    (found,) = [finding for finding in findings if finding.level == "problem"]
    assert "is not used" in found.remedy, "the database can be left out"
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
    assert found.images is not None
    assert set(found.images["database"]) == {name}
    assert found.images["file"].is_unique or name != "samm"
    texts = " ".join(finding.text for finding in found.findings)
    assert "named raw frames are below" in texts
    assert "not the counts of" in texts, "drawn, but not declared as synthetic"


def test_synthetic_databases_need_not_have_the_known_counts(drawn: Path) -> None:
    synthetic = {"synthetic": SYNTHETIC, "results": str(drawn)}
    places = {
        "casme2": {
            "table": str(table(drawn, "casme2")),
            "frames": str(drawn / "databases" / "CASME2"),
        }
    }
    found = databases.look("casme2", complete({"databases": places, **synthetic}))
    assert any("synthetic: its counts are not" in finding.text for finding in found.findings)
    later = drawn / "databases" / "later"
    missing = {"casme2": {"table": str(later / "casme2.xlsx"), "frames": str(later / "frames")}}
    found = databases.look("casme2", complete({"databases": missing, **synthetic}))
    assert [finding.level for finding in found.findings] == ["note"]
    assert found.images is None


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
    assert found.images is None


def test_frames_that_are_missing_are_counted(folder: Path) -> None:
    before = databases.look("samm", config_of(folder)).images
    assert before is not None
    clip = before["file"][0].removeprefix("samm:").rpartition("/")[0]
    shutil.rmtree(folder / "databases" / "SAMM" / clip)
    found = databases.look("samm", config_of(folder))
    assert found.images is not None
    lost = len(before) - len(found.images)
    assert lost > 0
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

    monkeypatch.setattr(databases.settings, "table_path", refuse)
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


def made_up(counts: dict[str, int], name: str = "casme2") -> databases.Database:
    """A database with so many images of each emotion, each of a file of its own."""
    emotions = [emotion for emotion, count in counts.items() for _ in range(count)]
    rows = [
        {
            "image": f"{name}/sub01/EP{number}/1/apex",
            "sample": f"{name}/sub01/EP{number}/1",
            "phase": "apex",
            "database": name,
            "subject": "sub01",
            "emotion": emotion,
            "table": "t.xlsx",
            "table_row": str(number + 2),
            "file": f"{name}:{number}.jpg",
        }
        for number, emotion in enumerate(emotions)
    ]
    return databases.Database(name, [], pd.DataFrame(rows))


FULL = dict.fromkeys(("disgust", "happiness", "others", "repression", "surprise", "tense"), 120)


def test_full_classes_give_the_papers_split() -> None:
    sizes, findings = classes.look("paper", PAPER, [made_up(FULL)])
    assert sizes == classes.Sizes(6, 360, 90, 150, counted=True)
    assert levels(findings) == {"fine"}


def test_without_databases_full_classes_are_assumed() -> None:
    sizes, findings = classes.look("paper", PAPER, [databases.Database("casme2")])
    assert sizes == classes.Sizes(6, 360, 90, 150, counted=False)
    assert levels(findings) == {"note"}


def test_a_class_that_is_short_or_empty_is_said_with_its_number() -> None:
    counts = {**FULL, "tense": 0, "surprise": 12}
    sizes, findings = classes.look("paper", PAPER, [made_up(counts)])
    notes = [finding for finding in findings if finding.level == "note"]
    assert any("class surprise: 12 images, 88 short of 100" in found.text for found in notes)
    assert any("class tense: no listed database has an image" in found.text for found in notes)
    assert all("List more databases" in found.remedy for found in notes)
    assert sizes is not None
    assert (sizes.classes, sizes.train, sizes.test) == (5, 4 * 60 + 7, 4 * 25 + 3)


def test_a_class_with_nothing_to_train_on_is_a_problem() -> None:
    few = {**PAPER, "split": {**PAPER["split"], "test_fraction": 0.9}}
    sizes, findings = classes.look("paper", few, [made_up({**FULL, "tense": 1})])
    assert sizes is None
    assert levels(findings) >= {"problem"}
    assert "class tense has 1 image(s) and none is left to train on" in findings[-1].text


def test_an_emotion_with_a_typing_error_is_asked_about() -> None:
    _, findings = classes.look("paper", PAPER, [made_up({**FULL, "suprise": 1})])
    (found,) = [finding for finding in findings if finding.level == "note"]
    assert "do you mean 'surprise'?" in found.text


def test_an_unseen_subject_with_a_wrong_name_is_a_problem_unless_its_database_is_away() -> None:
    def with_unseen(subject: str) -> dict[str, Any]:
        return {**PAPER, "split": {**PAPER["split"], "unseen_subjects": [subject]}}

    away = databases.Database("samm")
    _, findings = classes.look("paper", with_unseen("casme2/sub99"), [made_up(FULL), away])
    assert "'casme2/sub99' has no crop" in findings[-1].text
    sizes, findings = classes.look("paper", with_unseen("samm/006"), [made_up(FULL), away])
    assert levels(findings) == {"fine", "note"}
    assert sizes is not None
    assert not sizes.counted
