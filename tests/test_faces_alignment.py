"""Registration: exact motions of a photograph, what is refused, and what crop jobs make of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from crop_job import SAMPLE, Database, use_red_squares
from fleeting.errors import Unusable
from fleeting.faces import images
from fleeting.faces.alignment import STILL, Motion, Reference, cut_moved, to_frame
from fleeting.faces.box import Rectangle, cut
from fleeting.faces.detector import Image
from fleeting.faces.settings import DetectorSettings

PHOTOGRAPH = np.ascontiguousarray(astronaut()[..., ::-1])
#: Of its face.
SQUARE = Rectangle(160, 60, 300, 200)
#: The middle of the box.
X, Y = 229.5, 129.5


def noisy(image: Image, seed: int, deviation: float = 1.5) -> Image:
    noise = np.random.default_rng(seed).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def after(motion: Motion) -> Image:
    """The photograph, moved as a whole: shifted, and turned about the middle of the box."""
    angle = np.deg2rad(motion.roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array((X + motion.x, Y + motion.y)) - turn @ (X, Y)
    where = np.column_stack([turn, shift])
    size = PHOTOGRAPH.shape[1::-1]
    return cv2.warpAffine(PHOTOGRAPH, where, size, flags=cv2.INTER_CUBIC)


def test_known_motions_are_found_to_a_tenth_of_a_pixel() -> None:
    """Of 40 such motions, the worst was found to .05 pixels and .06 degrees."""
    random = np.random.default_rng(1)
    reference = Reference(PHOTOGRAPH, SQUARE)
    for seed in range(12):
        motion = Motion(*random.uniform(-20, 20, 2), random.uniform(-6, 6))
        light = random.uniform(0.85, 1.0), random.uniform(0, 10)
        frame = np.clip(after(motion) * light[0] + light[1], 0, 255)
        found = reference.motion(noisy(frame, seed))
        assert found == pytest.approx(motion, abs=0.1), motion


def test_without_a_motion() -> None:
    reference = Reference(noisy(PHOTOGRAPH, 1), SQUARE)
    assert reference.motion(noisy(PHOTOGRAPH, 1)) == STILL
    assert reference.motion(noisy(PHOTOGRAPH, 2)) == pytest.approx(STILL, abs=0.03)


def test_what_does_not_move_with_the_head_counts_for_little() -> None:
    """A part that stays, and one that moves by itself."""
    motion = Motion(4.3, -2.6, 1.5)
    frame = after(motion)
    frame[60:110, 160:190] = PHOTOGRAPH[60:110, 160:190]
    frame[100:115, 200:250] = after(Motion(4.3, 2.4, 1.5))[100:115, 200:250]
    found = Reference(PHOTOGRAPH, SQUARE).motion(noisy(frame, 1))
    assert found == pytest.approx(motion, abs=0.1)


def test_the_motion_depends_on_no_threads() -> None:
    frame, threads = after(Motion(3.2, 1.1, 2)), cv2.getNumThreads()
    found = []
    for count in (1, 2):
        cv2.setNumThreads(count)
        found += [Reference(PHOTOGRAPH, SQUARE).motion(frame) for _ in range(2)]
    cv2.setNumThreads(threads)
    assert len(set(found)) == 1


FLAT = np.full_like(PHOTOGRAPH, 90)
RAMP = np.broadcast_to(np.linspace(0, 255, 512)[:, None], FLAT.shape).astype(np.uint8)


@pytest.mark.parametrize(
    ("first", "frame", "detail"),
    [
        (FLAT, PHOTOGRAPH, "first frame is flat"),
        (PHOTOGRAPH, FLAT, "flat, or does not show the same"),
        (noisy(FLAT, 1), noisy(FLAT, 2), "flat|correlate"),
        # Nothing tells how far it moved to the right.
        (noisy(RAMP, 1), noisy(RAMP, 2), "flat|correlate"),
        (PHOTOGRAPH, np.roll(PHOTOGRAPH, 250, axis=0), "."),
    ],
)
def test_what_cannot_be_registered(first: Image, frame: Image, detail: str) -> None:
    with pytest.raises(Unusable, match=detail) as caught:
        Reference(first, SQUARE).motion(frame)
    assert caught.value.code == "not_aligned"


def test_a_small_box_shows_too_little() -> None:
    reference = Reference(PHOTOGRAPH, Rectangle(200, 100, 215, 130))
    with pytest.raises(Unusable, match="a side of the box has less than 16 pixels"):
        reference.motion(PHOTOGRAPH)


@pytest.mark.parametrize("square", [SQUARE, Rectangle(-20, 430, 80, 530)])
def test_moved_boxes_are_cut_as_others(square: Rectangle) -> None:
    assert (cut_moved(PHOTOGRAPH, square, STILL, None) == cut(PHOTOGRAPH, square)).all()
    x0, y0, x1, y1 = square
    further = cut(PHOTOGRAPH, Rectangle(x0 + 7, y0 - 5, x1 + 7, y1 - 5))
    assert (cut_moved(PHOTOGRAPH, square, Motion(7, -5, 0), None) == further).all()


def test_a_crop_of_a_moved_frame_is_that_of_the_first() -> None:
    """Shrunk or enlarged; but for what interpolation makes of the fine texture."""
    motion = Motion(6.4, -3.3, 4)
    for size in (96, 140, 224):
        first = images.resize(cut(PHOTOGRAPH, SQUARE), size)
        pixels = cut_moved(after(motion), SQUARE, motion, size)
        assert pixels.shape == (max(size, 140),) * 2 + (3,)
        aligned = images.resize(pixels, size)
        difference = np.abs(aligned.astype(int) - first)
        assert difference.mean() < 1.5
        unaligned = images.resize(cut(after(motion), SQUARE), size)
        assert np.abs(unaligned.astype(int) - first).mean() > 8


def test_the_corners_of_a_turned_box() -> None:
    """A turn clockwise, where y points down, takes the upper left corner up and to the right."""
    where = to_frame(Rectangle(10, 20, 30, 60), Motion(0, 0, 90), 20, 40)
    assert where @ (0, 0, 1) == pytest.approx([19.5 + 19.5, 39.5 - 9.5])
    assert where @ (9.5, 19.5, 1) == pytest.approx([19.5, 39.5])


# The crop job, with the motion of the photograph in its table.

MOTION = Motion(5.5, -4.25, 2)


def clip(database: Database, *frames: Image) -> None:
    """A clip of these frames, by phase."""
    for phase, image in zip(("onset", "apex", "offset"), frames, strict=False):
        cv2.imwrite(str(database.frame(phase)), image)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


@pytest.fixture
def window() -> tuple[Image, Image]:
    """The face alone, before and after a motion: whole pictures with borders of their own."""
    rows, columns = slice(SQUARE.y0, SQUARE.y1), slice(SQUARE.x0, SQUARE.x1)
    return PHOTOGRAPH[rows, columns], after(MOTION)[rows, columns]


WHOLE = {"detector": "none", "size": 96, "align": "rigid"}


def test_whole_pictures_are_aligned_to_the_first(
    database: Database, window: tuple[Image, Image]
) -> None:
    first, moved = window
    clip(database, first, moved, moved[:-1])
    (apex, onset), (offset,) = database.crop(**WHOLE)
    assert [onset[name] for name in ("shift_x", "shift_y", "roll")] == ["0.000000"] * 3
    found = [float(apex[name]) for name in ("shift_x", "shift_y", "roll")]
    assert found == pytest.approx(MOTION, abs=0.1)
    assert (offset["code"], offset["reason"]) == ("frame_size", "frame size")
    assert "140 x 139 pixels, but 140 x 140 in the onset frame" in offset["detail"]
    aligned = [row["sha256"] for row in (apex, onset)]
    rows, _ = database.crop(**{**WHOLE, "align": "none"})
    assert {row["shift_x"] + row["shift_y"] + row["roll"] for row in rows} == {""}
    # The first frame's crop is what it is without alignment.
    assert rows[2]["sha256"] == aligned[1]
    assert rows[0]["sha256"] != aligned[0]


def test_frames_that_cannot_be_aligned_are_excluded(
    database: Database, window: tuple[Image, Image]
) -> None:
    clip(database, window[0], np.full_like(window[0], 7), window[1])
    (offset, onset), (apex,) = database.crop(**WHOLE)
    assert (apex["code"], apex["reason"]) == ("not_aligned", "not aligned")
    assert apex["detail"] == (
        "img1.png: compared with the onset frame, to which it is aligned: the frame is flat, or "
        "does not show the same"
    )
    assert (onset["roll"], float(offset["roll"])) == ("0.000000", pytest.approx(2, abs=0.1))


def test_the_reference_is_the_frame_of_the_box(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the onset frame no face is found, so that it is aligned to the apex frame."""
    use_red_squares(monkeypatch)
    grey = cv2.cvtColor(cv2.cvtColor(PHOTOGRAPH, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR) // 2
    moved = np.roll(grey, (2, 3), axis=(0, 1))
    # The red mouth is below what is compared.
    grey[60:200, 160:300] += np.array((0, 0, 100), np.uint8)
    clip(database, moved, grey)
    detector = DetectorSettings(kind="stub", confidence=0.3)
    block = {"box": "clip", "align": "rigid", "detector": detector}
    (apex, onset), uncropped = database.crop(**block)
    assert uncropped == []
    assert onset["outcome"] == "no face, box of the apex frame"
    assert onset["image"] == f"{SAMPLE}/10/onset"
    assert [float(apex[name]) for name in ("shift_x", "shift_y", "roll")] == [0, 0, 0]
    found = [float(onset[name]) for name in ("shift_x", "shift_y", "roll")]
    assert found == pytest.approx([3, 2, 0], abs=0.1)
