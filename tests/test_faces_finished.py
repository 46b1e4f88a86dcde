"""Which crops are kept when the crop job runs again, and which are made again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from crop_job import BLOCK, FACE, SAMPLE, Database, RedSquares, use_red_squares
from fleeting import code_in_use
from fleeting.errors import Unusable, UserError
from fleeting.faces import crop, images
from fleeting.faces.crop_sample import CropJob
from fleeting.faces.settings import Cropping


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    return use_red_squares(monkeypatch)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


def finished(database: Database, **changes: object) -> dict[Path, int]:
    """Three samples of an onset and an apex frame, cropped; the times of their files."""
    for onset in (10, 20, 30):
        for phase in ("onset", "apex"):
            database.frame(phase, FACE, onset=onset)
    database.crop(**changes)
    return times(database)


def job(database: Database, name: str = "paper", **changes: object) -> CropJob:
    settings = Cropping.model_validate({**BLOCK, **changes})
    return CropJob(database.results, name, "casme2", database.root, "raw", settings)


def times(database: Database) -> dict[Path, int]:
    files = [path for path in (database.results / "faces").rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


def written(database: Database, before: dict[Path, int]) -> set[str]:
    """The samples of which a file was written since."""
    changed = {path for path, time in times(database).items() if before.get(path) != time}
    return {path.parent.name for path in changed}


@pytest.mark.parametrize("block", [{}, {"box": "clip", "align": "rigid"}])
def test_another_sample_crops_only_itself(database: Database, block: dict[str, str]) -> None:
    """Although every row of the database's table moves."""
    before = finished(database, **block)
    database.frame("onset", FACE, onset=5)
    for row in database.rows:
        row["table_row"] = int(str(row["table_row"])) + 1
    database.crop(**block)
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


@pytest.mark.parametrize("what", ["settings", "source", "code", "a library"])
def test_what_all_samples_depend_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = finished(database)
    if what == "code":
        monkeypatch.setattr(code_in_use, "digests", lambda: {"fleeting.faces.box": "0"})
    if what == "a library":
        monkeypatch.setattr(crop, "version", lambda name: "0.0")
    changes: dict[str, object] = {"size": 40} if what == "settings" else {}
    database.crop("cropped" if what == "source" else "raw", **changes)
    assert written(database, before) == {"10", "20", "30"}


def test_the_bytes_of_the_detector_count(database: Database, tmp_path: Path) -> None:
    """Of each of its files, which may have the same name, or lie in a folder."""
    places = [tmp_path / "a/net.bin", tmp_path / "b"]
    for path in (places[0], places[1] / "net.bin"):
        path.parent.mkdir()
        path.write_bytes(b"one")
    finished(database)
    database.crop(detector_files=places)
    for changed in (places[0], places[1] / "net.bin"):
        before = times(database)
        database.crop(detector_files=places)
        assert written(database, before) == set()
        changed.write_bytes(b"two")
        database.crop(detector_files=places)
        assert written(database, before) == {"10", "20", "30"}


def test_crops_are_kept_while_the_frames_are_away(database: Database) -> None:
    before = finished(database)
    database.root.rename(database.root.with_name("unmounted"))
    for _ in ("without the folder", "with an empty one"):
        with pytest.raises(UserError, match="none of the frames in .* is there; mount or restore"):
            database.crop()
        assert times(database) == before
        database.root.mkdir(exist_ok=True)


def test_a_frame_that_could_not_be_read_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although no byte of it changed."""
    database.frame("onset", FACE)
    database.frame("onset", FACE, onset=20)
    read = images.read

    def fail(root: Path, relative: str) -> np.ndarray:
        if relative == "img0.png":
            raise Unusable("unreadable_image", "an error of the disk")
        return read(root, relative)

    with monkeypatch.context() as patched:
        patched.setattr(images, "read", fail)
        _, (row,) = database.crop()
    assert row["code"] == "unreadable_image"
    before = times(database)
    assert len(database.crop()[0]) == 2
    assert written(database, before) == {"10"}


def test_what_is_no_file_is_not_opened(database: Database) -> None:
    """A pipe would be waited for."""
    database.frame("onset", FACE)
    path = database.frame("apex", FACE)
    path.unlink()
    os.mkfifo(path)
    _, (row,) = database.crop()
    assert row["detail"].endswith("not a file")


def test_a_folder_of_crops_that_is_a_link_stays(database: Database, tmp_path: Path) -> None:
    finished(database)
    folder = database.results / "faces/paper/casme2/sub01"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    cropped, _ = crop.crop_frames(job(database, size=40), database.table, None, [], 1)
    assert folder.is_symlink()
    assert all((database.results / row["path"]).is_file() for row in cropped)


def test_a_copy_of_another_crops_folder_is_not_taken_for_its_own(database: Database) -> None:
    finished(database)
    faces = database.results / "faces"
    shutil.copytree(faces / "paper", faces / "copy")
    cropped, _ = crop.crop_frames(job(database, "copy"), database.table, None, [], 1)
    assert {row["path"].split("/")[1] for row in cropped} == {"copy"}
    assert all((database.results / row["path"]).is_file() for row in cropped)


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
