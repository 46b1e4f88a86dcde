"""Boxes: from detected ones to the square that is cut, and one of each face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting.faces.box import Rectangle, cut, is_plausible, square_around
from fleeting.faces.detector import best_boxes, letterbox
from fleeting.faces.settings import Margin

coordinate = st.floats(-500, 2500)
length = st.floats(1, 1500)
share = st.floats(0, 1)


@pytest.mark.parametrize(
    ("box", "margin", "corners"),
    [
        # A margin above moves the square up, a narrow box grows on both sides.
        ((100, 100, 200, 200), {"top": 0.2, "sides": 0.1, "bottom": 0.1}, (85, 80, 215, 210)),
        ((100, 100, 140, 200), {"top": 0, "sides": 0, "bottom": 0}, (70, 100, 170, 200)),
    ],
)
def test_square(box, margin, corners) -> None:
    assert square_around(box, Margin(**margin)) == corners


@given(coordinate, coordinate, length, length, share, share, share)
def test_square_holds_box_and_margin(
    x: float, y: float, width: float, height: float, top: float, sides: float, bottom: float
) -> None:
    square = square_around(
        (x, y, x + width, y + height), Margin(top=top, sides=sides, bottom=bottom)
    )
    assert square.x0 <= x - sides * width + 1
    assert square.x1 >= x + width + sides * width - 1
    assert square.y0 <= y - top * height + 1
    assert square.y1 >= y + height + bottom * height - 1


@given(st.integers(-80, 60), st.integers(-80, 60), st.integers(1, 60))
def test_cut_repeats_the_border(x0: int, y0: int, side: int) -> None:
    image = np.arange(30 * 40 * 3, dtype=np.uint32).astype(np.uint8).reshape(30, 40, 3)
    padded = np.pad(image, ((100, 100), (100, 100), (0, 0)), mode="edge")
    expected = padded[y0 + 100 : y0 + side + 100, x0 + 100 : x0 + side + 100]
    assert (cut(image, Rectangle(x0, y0, x0 + side, y0 + side)) == expected).all()


@pytest.mark.parametrize(
    "box",
    [
        (float("nan"), 0, 10, 10),
        (0, 0, float("inf"), 10),
        (50, 50, 50, 60),
        (60, 50, 50, 60),
        (-90, 0, -10, 50),
        (-4000, -4000, 4000, 4000),
    ],
)
def test_impossible_boxes(box: tuple[float, ...]) -> None:
    assert not is_plausible(box, 100, 100)
    assert is_plausible((-10, -10, 50, 50), 100, 100)


def test_one_box_of_each_face() -> None:
    boxes = np.array([[50, 50, 60, 60, 0.5], [0, 0, 10, 10, 0.9], [2, 0, 12, 10, 0.6]])
    best = best_boxes(boxes, 0.5, 0.5, weighted=False)
    assert best.tolist() == boxes[[1, 0]].tolist()
    mean = best_boxes(boxes, 0.5, 0.5, weighted=True)
    assert mean[0].tolist() == pytest.approx([0.8, 0, 10.8, 10, 0.9])
    # What else is known of a face's places is averaged as well.
    eyes = np.array([[8, 8, 9, 9], [2, 3, 7, 3], [4, 3, 9, 3]])
    seen = best_boxes(np.hstack([boxes, eyes]), 0.5, 0.5, weighted=True)
    assert seen[0].tolist() == pytest.approx([*mean[0], 2.8, 3, 7.8, 3])


@pytest.mark.parametrize(("confidence", "found"), [(0.3, [0.7, 0.4]), (0.9, [0.7])])
def test_below_the_confidence_the_best_box_stays(confidence: float, found: list[float]) -> None:
    boxes = np.array([[0, 0, 1, 1, 0.2], [5, 5, 6, 6, 0.4], [9, 9, 10, 10, 0.7]])
    assert best_boxes(boxes, confidence, 0.5, weighted=False)[:, 4].tolist() == found
    assert best_boxes(boxes[:0], confidence, 0.5, weighted=False).shape == (0, 5)


@pytest.mark.parametrize("shape", [(480, 640), (1088, 2040), (700, 100), (1, 5000)])
def test_letterbox_keeps_the_aspect(shape: tuple[int, int]) -> None:
    square, scale, left, top = letterbox(np.full((*shape, 3), 255, np.uint8), 256, centred=True)
    height, width = (max(1, round(side * scale)) for side in shape)
    assert square.shape == (256, 256, 3)
    assert (square[top : top + height, left : left + width] == 255).all()
    assert int((square[..., 0] > 0).sum()) == height * width
    assert abs(2 * left + width - 256) <= 1
    assert abs(2 * top + height - 256) <= 1
