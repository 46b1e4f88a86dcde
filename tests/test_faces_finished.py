"""Which crops are kept when the crop job runs again, and which are made again."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from crop_job import FACE, SAMPLE, Database, RedSquares, use_red_squares
from fleeting import code_in_use
from fleeting.errors import UserError


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    return use_red_squares(monkeypatch)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


def finished(database: Database) -> dict[Path, int]:
    """Three samples of an onset and an apex frame, cropped; the times of their files."""
    for onset in (10, 20, 30):
        for phase in ("onset", "apex"):
            database.frame(phase, FACE, onset=onset)
    database.crop()
    return times(database)


def times(database: Database) -> dict[Path, int]:
    files = [path for path in (database.results / "faces").rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


def written(database: Database, before: dict[Path, int]) -> set[str]:
    """The samples of which a file was written since."""
    changed = {path for path, time in times(database).items() if before.get(path) != time}
    return {path.parent.name for path in changed}


def test_another_sample_crops_only_itself(database: Database) -> None:
    """Although every row of the database's table moves."""
    before = finished(database)
    database.frame("onset", FACE, onset=5)
    for row in database.rows:
        row["table_row"] = int(str(row["table_row"])) + 1
    database.crop()
    assert written(database, before) == {"5"}


def change_a_frame(database: Database) -> None:
    cv2.imwrite(str(database.root / "img2.png"), np.zeros((100, 140, 3), np.uint8))


def take_another_file(database: Database) -> None:
    database.rows[2]["path"] = "img0.png"


def drop_a_row(database: Database) -> None:
    database.rows.pop(2)


def damage_a_crop(database: Database) -> None:
    (database.results / f"faces/paper/{SAMPLE}/20/apex.png").write_bytes(b"\x89PNG")


def remove_a_crop(database: Database) -> None:
    (database.results / f"faces/paper/{SAMPLE}/20/apex.png").unlink()


def damage_the_record(database: Database) -> None:
    (database.results / f"faces/paper/{SAMPLE}/20/crops.json").write_text("{")


@pytest.mark.parametrize(
    "change",
    [
        change_a_frame,
        take_another_file,
        drop_a_row,
        damage_a_crop,
        remove_a_crop,
        damage_the_record,
    ],
)
def test_a_sample_that_changed_is_cropped_again(
    database: Database, tmp_path: Path, change: Callable[[Database], None]
) -> None:
    before = finished(database)
    change(database)
    found = database.crop()
    assert written(database, before) == {"20"}
    (tmp_path / "afresh").mkdir()
    afresh = Database(tmp_path / "afresh")
    afresh.root, afresh.rows = database.root, database.rows
    assert afresh.crop() == found
    assert [path.read_bytes() for path in afresh.crops()] == [
        path.read_bytes() for path in database.crops()
    ]


@pytest.mark.parametrize("what", ["settings", "source", "code", "opencv"])
def test_what_all_samples_depend_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = finished(database)
    if what == "code":
        monkeypatch.setattr(code_in_use, "digests", lambda: {"fleeting.faces.box": "0"})
    if what == "opencv":
        monkeypatch.setattr(cv2, "__version__", "0.0")
    changes: dict[str, object] = {"size": 40} if what == "settings" else {}
    database.crop("cropped" if what == "source" else "raw", **changes)
    assert written(database, before) == {"10", "20", "30"}


def test_the_bytes_of_the_detector_count(database: Database, tmp_path: Path) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"one")
    finished(database)
    database.crop(detector_files=[weights])
    before = times(database)
    database.crop(detector_files=[weights])
    assert written(database, before) == set()
    weights.write_bytes(b"two")
    database.crop(detector_files=[weights])
    assert written(database, before) == {"10", "20", "30"}


def test_crops_are_kept_while_the_frames_are_away(database: Database) -> None:
    before = finished(database)
    database.root.rename(database.root.with_name("unmounted"))
    with pytest.raises(UserError, match="frames: no such folder; mount or restore it"):
        database.crop()
    assert times(database) == before


def test_what_is_no_longer_asked_for_goes(database: Database) -> None:
    finished(database)
    stale = database.results / "faces/paper/casme2/sub09"
    (stale / "EP9").mkdir(parents=True)
    (stale / "EP9/onset.png").write_bytes(b"")
    (database.results / "faces/paper/casme2/sub01.tsv").write_text("of an earlier version")
    del database.rows[1:]
    database.crop()
    left = {path.relative_to(database.results).as_posix() for path in times(database)}
    assert left == {f"faces/paper/{SAMPLE}/10/{name}" for name in ("crops.json", "onset.png")}
    assert not stale.exists()
