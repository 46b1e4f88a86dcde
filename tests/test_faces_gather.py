"""The crops of a database: its subjects' tables put together, and the faces found."""

from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.faces.gather import gather, report, warn
from fleeting.faces.outcomes import hits

Row = dict[str, str]


def face(image: str, outcome: str = "face") -> Row:
    values = dict.fromkeys(tsv.FACES, "1.0")
    names = {"image": image, "sample": "s", "phase": "onset", "sha256": "0" * 64}
    return {**values, **names, "detector": "blazeface", "outcome": outcome}


def excluded(image: str, code: str = "no_face") -> Row:
    return {**dict.fromkeys(tsv.EXCLUDED_FRAMES, "x"), "image": image, "code": code}


def gathered(folder: Path, frames: list[str], **subjects: list[Row]) -> tuple[list[Row], list[Row]]:
    """The tables of crop jobs put together, for a table of frames."""
    rows = [
        {"image": image, "sample": "s", "phase": "onset", "frame": 1, "path": "p", "table_row": row}
        for row, image in enumerate(frames, start=2)
    ]
    tsv.write_rows(rows, folder / "frames.tsv", tsv.FRAMES)
    for subject, results in subjects.items():
        tsv.write_rows([], folder / f"subjects/{subject}.tsv", tsv.FRAMES)
        faces = [row for row in results if "outcome" in row]
        others = [row for row in results if "outcome" not in row]
        tsv.write_rows(faces, folder / f"{subject}.tsv", tsv.FACES)
        tsv.write_rows(others, folder / f"{subject}.excluded.tsv", tsv.EXCLUDED_FRAMES)
    return gather(folder, folder / "subjects", folder / "frames.tsv")


def test_gathered_tables_are_sorted_and_get_their_table_rows(tmp_path: Path) -> None:
    found = gathered(tmp_path, ["a", "b", "c"], s2=[face("c"), excluded("b")], s1=[face("a")])
    assert [row["image"] for row in found[0]] == ["a", "c"]
    assert [(row["image"], row["table_row"]) for row in found[1]] == [("b", "3")]


@pytest.mark.parametrize("results", [[], [face("a"), excluded("a")], [face("a"), face("b")]])
def test_every_frame_is_accounted_for_once(tmp_path: Path, results: list[Row]) -> None:
    with pytest.raises(UserError, match="do not account for"):
        gathered(tmp_path, ["a"], s1=results)


def test_a_missing_table(tmp_path: Path) -> None:
    tsv.write_rows([], tmp_path / "subjects/s1.tsv", tsv.FRAMES)
    with pytest.raises(UserError, match="s1.tsv: the table is missing"):
        gathered(tmp_path, ["a"])


def test_a_database_without_frames(tmp_path: Path) -> None:
    found = gathered(tmp_path, [])
    report(*found, "casme2")
    warn(*found, "casme2", "paper", accepted=False)
    assert found == ([], [])


def test_faces_found_are_counted_where_a_detector_ran() -> None:
    """Not where the box is that of another frame, unless that is because none was found here."""
    crops = [
        ("blazeface", "face, margin beyond the border"),
        ("blazeface", "box of the onset frame"),
        ("blazeface", "no face, box of the apex frame"),
        ("provider", "provider's crop"),
        ("none", "whole picture"),
    ]
    assert hits(*zip(*crops, strict=True), ["no_face", "unreadable_image"]) == (3, 1)


def test_the_share_of_faces_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        report([face("a")], [excluded("b")], "casme2")
    assert "a face in 1 of 2 images (50.0%)" in caplog.text
    with pytest.raises(UserError, match=r"1 of 1 images .*\(1 no face\).*detector.confidence"):
        warn([], [excluded("b")], "casme2", "paper", accepted=True)
