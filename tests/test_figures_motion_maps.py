"""How a motion is drawn: the colours of its directions, and its arrows."""

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from fleeting.drawing import motion_maps, style


def uniform(right: float, down: float, side: int = 12) -> np.ndarray:
    return np.full((side, side, 3), (right, down, 0), np.float32)


@pytest.mark.parametrize(
    ("right", "down", "share"),
    [(3, 0, 0), (0, 3, 1), (-3, 0, 2), (0, -3, 3), (2, 2, 0.5), (2, -2, 3.5)],
)
def test_the_hue_is_the_direction(right, down, share):
    anchors = np.array([to_rgb(colour) for colour in motion_maps.DIRECTIONS])
    before, after = anchors[int(share)], anchors[(int(share) + 1) % 4]
    expected = 255 * (before + (share % 1) * (after - before))
    found = motion_maps.colours(uniform(right, down), 1)
    assert np.abs(found - expected).max() <= 0.51, "and farther than the largest is the full colour"


def test_what_does_not_move_is_white_and_what_moves_half_is_half_as_pale():
    assert (motion_maps.colours(uniform(0, 0), 2) == 255).all()
    full, half = (motion_maps.colours(uniform(size, 0), 2).astype(int) for size in (2, 1))
    assert np.abs((255 - half) - (255 - full) / 2).max() <= 1


def test_the_wheel_has_the_colours_of_the_directions():
    figure = style.new_figure(1)
    axes = figure.subplots()
    motion_maps.draw_wheel(axes, 2.5, "px")
    (wheel,) = (image.get_array() for image in axes.images)
    places = {"right": (100, 200), "down": (200, 100), "left": (100, 0), "up": (0, 100)}
    for (row, column), colour in zip(places.values(), motion_maps.DIRECTIONS, strict=True):
        assert np.allclose(wheel[row, column] / 255, to_rgb(colour), atol=0.01)
    assert (wheel[100, 100] == 255).all()
    assert (wheel[0, 0] == 255).all(), "outside"
    # The texts stand on the side that they name: y grows downwards.
    at = {text.get_text(): text.get_position() for text in axes.texts}
    assert at["right"][0] > 1 > at["left"][0]
    assert at["down"][1] > 1 > at["up"][1]
    assert axes.get_title() == "rim: 2.5 px"


@pytest.mark.parametrize(("right", "down"), [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1)])
def test_arrows_point_where_the_motion_goes(tmp_path, right, down):
    """In the picture: from the place that moves, the pixels of its arrow lie in the direction."""
    motion = uniform(0, 0, side=48)
    motion[16:20, 16:20, :2] = right, down
    figure = style.new_figure(4, 4)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    motion_maps.draw_arrows(axes, motion, (96, 96), 20)
    style.save(figure, tmp_path / "arrow.svg", tmp_path / "arrow.png")
    pixels = cv2.imread(str(tmp_path / "arrow.png"))[..., ::-1]
    orange = np.abs(pixels - 255 * np.array(to_rgb(motion_maps.ARROWS))).max(axis=2) < 20
    # The place is the fifth of twelve; drawn is 2 pixels for each of the motion's.
    start = 4.5 / 12 * len(pixels)
    rows, columns = np.nonzero(orange)
    ends = [(columns - start).mean(), (rows - start).mean()]
    way = 20 / 96 * len(pixels) / 2
    # The head is wider than the shaft, so that the middle of the pixels is beyond half the way.
    assert np.allclose(ends, [right * way, down * way], atol=0.35 * way)


def test_an_arrow_is_the_mean_around_its_start():
    motion = uniform(0, 0, side=24)
    motion[2:4, 4, 0] = 6
    found = motion_maps.arrows(motion, (96, 96))
    assert found.shape == (12, 12, 2)
    assert found[1, 2].tolist() == [3, 0]
    assert np.abs(found).sum() == 3
    assert motion_maps.arrows(motion, (96, 48)).shape == (6, 12, 2)


@pytest.mark.parametrize(("moves", "expected"), [(0.5, 20), (1, 20), (1.01, 10), (50, 0.2), (0, 1)])
def test_arrows_are_enlarged_by_a_round_number(moves, expected):
    # From one arrow to the next it is 8 pixels: none is longer than 20.
    given = [(uniform(moves, 0), (96, 96)), (uniform(0, -moves / 2), (96, 96))]
    assert motion_maps.enlargement(given) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(4.01, 4.1), (4.1, 4.1), (np.float32(0.05), 0.05), (0.0123, 0.013), (123, 130), (0, 1)],
)
def test_a_scale_ends_at_two_digits(value, expected):
    assert motion_maps.rounded_up(value) == pytest.approx(expected)
