import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting.faces.box import Square, cut, is_cut, is_plausible, resize, square_around
from fleeting.faces.detection import candidates, letterbox, suppress
from fleeting.faces.settings import Margin

NONE = Margin(top=0, sides=0, bottom=0)
coordinate = st.floats(-500, 2500)
length = st.floats(1, 1500)
share = st.floats(0, 1)


def test_margin_above_moves_the_square_up() -> None:
    square = square_around((100, 100, 200, 200), Margin(top=0.2, sides=0.1, bottom=0.1))
    assert (square.x0, square.y0, square.x1, square.y1) == (85, 80, 215, 210)


def test_narrow_box_grows_on_both_sides() -> None:
    square = square_around((100, 100, 140, 200), NONE)
    assert (square.x0, square.y0, square.side) == (70, 100, 100)


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
    assert (cut(image, Square(x0, y0, side)) == expected).all()


def test_shrinking_averages() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = resize(np.dstack([board] * 3), 32)
    assert small.shape == (32, 32, 3)
    assert set(np.unique(small)) <= {127, 128}


def test_enlarging_is_smooth() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 200
    assert len(np.unique(resize(image, 16))) > 4


def test_border_cases() -> None:
    assert is_cut((-1, 10, 50, 60), 100, 100)
    assert is_cut((10, 10, 100, 60), 100, 100)
    assert not is_cut((1, 1, 99, 99), 100, 100)
    assert Square(0, 0, 101).leaves(100, 101)
    assert not Square(0, 0, 100).leaves(100, 100)


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


def test_suppression_keeps_one_of_a_group() -> None:
    boxes = np.array([[0, 0, 10, 10, 0.9], [2, 0, 12, 10, 0.6], [50, 50, 60, 60, 0.5]])
    assert suppress(boxes, 0.5, weighted=False).tolist() == boxes[[0, 2]].tolist()
    mean = suppress(boxes, 0.5, weighted=True)
    assert mean[0].tolist() == pytest.approx([0.8, 0, 10.8, 10, 0.9])


def test_candidates_below_the_confidence_leave_the_best() -> None:
    boxes = np.array([[0, 0, 1, 1, 0.2], [0, 0, 1, 1, 0.4], [0, 0, 1, 1, 0.7]])
    assert candidates(boxes, 0.3)[:, 4].tolist() == [0.7, 0.4]
    assert candidates(boxes, 0.9)[:, 4].tolist() == [0.7]
    assert candidates(boxes[:0], 0.9).shape == (0, 5)


@pytest.mark.parametrize("shape", [(480, 640), (1088, 2040), (700, 100), (1, 5000)])
def test_letterbox_keeps_the_aspect(shape: tuple[int, int]) -> None:
    square, scale, left, top = letterbox(np.full((*shape, 3), 255, np.uint8), 256, centred=True)
    height, width = (max(1, round(side * scale)) for side in shape)
    assert square.shape == (256, 256, 3)
    assert (square[top : top + height, left : left + width] == 255).all()
    assert int((square[..., 0] > 0).sum()) == height * width
    assert abs(2 * left + width - 256) <= 1
    assert abs(2 * top + height - 256) <= 1
