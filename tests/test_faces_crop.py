"""The crop job with a detector of red squares: what becomes of each frame."""

import shutil
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from crop_job import FACE, SAMPLE, Database, RedSquares, Row, use_red_squares
from fleeting import tsv
from fleeting.errors import UserError
from fleeting.faces import images


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    return use_red_squares(monkeypatch)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


def column(rows: list[Row], name: str) -> list[str]:
    return [row[name] for row in rows]


def corners(row: Row) -> list[str]:
    return [row[name] for name in ("x0", "y0", "x1", "y1")]


@pytest.mark.parametrize("source", ["raw", "cropped"])
def test_box_margin_and_pixels(database: Database, source: str) -> None:
    database.frame("onset", FACE)
    (row,), _ = database.crop(source, provider_crops="detect")
    assert (row["sample"], row["phase"]) == (f"{SAMPLE}/10", "onset")
    assert row["path"] == f"faces/paper/{SAMPLE}/10/onset.png"
    assert list(map(float, corners(row))) == [37, 36, 63, 62]
    assert float(row["confidence"]) == pytest.approx(200 / 255, abs=1e-6)
    assert (row["detector"], row["outcome"]) == ("stub", "face")
    image = cv2.imread(str(database.crops()[0]))
    assert image.shape == (48, 48, 3)
    assert image[24, 24, 2] == 200


@pytest.mark.parametrize(("size", "distance"), [(52, 24), (None, 12)])
def test_the_eye_distance_is_in_pixels_of_the_crop(
    database: Database,
    detector: RedSquares,
    monkeypatch: pytest.MonkeyPatch,
    size: int | None,
    distance: float,
) -> None:
    """Of the frame that the box is of; other detectors do not know it."""
    database.frame("onset", FACE)
    database.frame("apex", FACE)
    assert set(column(database.crop()[0], "eye_distance")) == {""}
    find = detector.detect
    eyes = np.array([[44, 46, 56, 46]])
    monkeypatch.setattr(detector, "detect", lambda image: np.hstack([find(image), eyes]))
    shutil.rmtree(database.results)
    (apex, onset), _ = database.crop(box="clip", size=size)
    assert float(onset["eye_distance"]) == float(apex["eye_distance"]) == distance


def test_largest_of_several_confident_faces(database: Database) -> None:
    database.frame("onset", (20, 30, 20, 220), (60, 30, 30, 180), (100, 30, 38, 100))
    (row,), _ = database.crop()
    assert row["outcome"] == "largest of 2 faces"
    assert float(row["x0"]) == 56


def test_face_and_margin_at_the_border(database: Database) -> None:
    database.frame("onset", (0, 40, 20, 200))
    database.frame("apex", (1, 40, 20, 200))
    database.frame("offset", (120, 40, 20, 200), (30, 30, 10, 200))
    cropped, _ = database.crop()
    assert {row["phase"]: row["outcome"] for row in cropped} == {
        "onset": "face cut by the border",
        "apex": "face, margin beyond the border",
        "offset": "largest of 2 faces, face cut by the border",
    }
    assert float(cropped[1]["x1"]) == 143
    assert {cv2.imread(str(path)).shape for path in database.crops()} == {(48, 48, 3)}


@pytest.mark.parametrize("box", ["frame", "clip"])
def test_each_unusable_frame_is_a_row(database: Database, box: str) -> None:
    database.frame("onset", FACE).write_bytes(b"")
    path = database.frame("apex", FACE)
    path.write_bytes(path.read_bytes()[:-40])
    database.frame("offset", (40, 40, 20, 100))
    database.frame("onset", onset=20)
    _, uncropped = database.crop(box=box)
    assert {row["image"]: (row["code"], row["reason"]) for row in uncropped} == {
        f"{SAMPLE}/10/onset": ("unreadable_image", "unreadable image"),
        f"{SAMPLE}/10/apex": ("unreadable_image", "unreadable image"),
        f"{SAMPLE}/10/offset": ("no_face", "no face"),
        f"{SAMPLE}/20/onset": ("no_face", "no face"),
    }
    assert uncropped[1]["detail"] == "img2.png: best confidence 0.392, needed 0.5"
    assert set(column(uncropped, "stage")) == {"faces"}


def test_one_box_a_clip(database: Database, detector: RedSquares) -> None:
    database.frame("onset", FACE)
    database.frame("apex", (45, 44, 24, 200))
    path = database.frame("offset", FACE)
    cv2.imwrite(str(path), np.zeros((50, 50, 3), np.uint8))
    (apex, onset), (offset,) = database.crop(box="clip")
    assert corners(apex) == corners(onset)
    assert (apex["outcome"], onset["outcome"]) == ("box of the onset frame", "face")
    assert offset["code"] == "frame_size"
    assert "50 x 50 pixels, but the box is of the onset frame of 140 x 100" in offset["detail"]
    assert detector.calls == 1


def test_one_box_a_clip_is_the_first_that_is_found(database: Database) -> None:
    database.frame("onset").write_bytes(b"broken")
    database.frame("apex")
    database.frame("offset", (45, 44, 24, 200))
    cropped, uncropped = database.crop(box="clip")
    assert column(cropped, "outcome") == ["no face, box of the offset frame", "face"]
    assert column(uncropped, "code") == ["unreadable_image"]


def test_a_file_of_a_sample_is_searched_once(database: Database, detector: RedSquares) -> None:
    for phase in tsv.PHASES:
        database.frame(phase, FACE, file="same.png")
    assert len(database.crop()[0]) == 3
    assert detector.calls == 1


@pytest.mark.parametrize(
    ("box", "source"), [("frame", "raw"), ("clip", "raw"), ("frame", "cropped")]
)
def test_a_job_holds_few_frames_however_many_clips(
    database: Database, monkeypatch: pytest.MonkeyPatch, box: str, source: str
) -> None:
    read, seen, alive = images.read, [], []

    def watched(root: Path, relative: str) -> np.ndarray:
        image = read(root, relative)
        seen.append(weakref.ref(image))
        alive.append(sum(each() is not None for each in seen))
        return image

    monkeypatch.setattr(images, "read", watched)
    for onset in range(10):
        for phase in tsv.PHASES:
            # In some frames no face is found.
            database.frame(phase, *([FACE] if onset % 2 else []), onset=onset)
    database.crop(source, threads=1, box=box)
    assert len(seen) == 30, "every frame is decoded once"
    assert max(alive) <= 5, "two clips' frames at most, whatever their number"


def test_an_unexpected_error_names_its_image(
    database: Database,
    detector: RedSquares,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(detector, "detect", lambda image: 1 / 0)
    database.frame("onset")
    with pytest.raises(ZeroDivisionError):
        database.crop()
    assert f"{SAMPLE}/10/onset" in caplog.text


@pytest.mark.parametrize("sample", ["casme2/sub01/../../x", "casme/sub01/EP/10", "x"])
def test_names_that_lead_elsewhere(database: Database, sample: str) -> None:
    database.frame("onset", FACE)
    database.rows[0].update(sample=sample, image=f"{sample}/onset")
    with pytest.raises(UserError, match="line 2"):
        database.crop()


def test_an_image_that_is_there_twice(database: Database) -> None:
    database.frame("onset", FACE)
    database.frame("onset", FACE)
    with pytest.raises(UserError, match="line 3.*twice"):
        database.crop()


@pytest.mark.parametrize(
    ("source", "block", "detector_name", "outcome"),
    [
        ("cropped", {}, "provider", "provider's crop"),
        ("cropped", {"detector": "none", "provider_crops": "detect"}, "none", "whole picture"),
        ("raw", {"detector": "none"}, "none", "whole picture"),
    ],
)
def test_whole_pictures(
    database: Database, source: str, block: dict[str, object], detector_name: str, outcome: str
) -> None:
    """Without a size they keep their pixels; a ready picture has neither phase nor frame."""
    path = database.frame("", FACE)
    (row,), _ = database.crop(source, **{**block, "size": None})
    assert row["path"] == f"faces/paper/{SAMPLE}/10/picture.png"
    assert (row["sample"], row["phase"], row["confidence"]) == (f"{SAMPLE}/10", "", "")
    assert (row["detector"], row["outcome"]) == (detector_name, outcome)
    assert list(map(float, corners(row))) == [0, 0, 140, 100]
    assert (cv2.imread(str(database.crops()[0])) == cv2.imread(str(path))).all()


@pytest.mark.parametrize(
    ("block", "side"), [({"detector": "none", "size": 32}, 32), ({"size": None}, 26)]
)
def test_the_size_of_crops(database: Database, block: dict[str, object], side: int) -> None:
    database.frame("onset", FACE)
    database.crop(**block)
    assert cv2.imread(str(database.crops()[0])).shape == (side, side, 3)
