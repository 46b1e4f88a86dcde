"""From a detected box to the square that is cut out: pure geometry."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fleeting.faces.detector import Image
from fleeting.faces.settings import Margin


class Rectangle(NamedTuple):
    """Whole pixels of a frame, by two corners; a part may be outside the frame."""

    x0: int
    y0: int
    x1: int
    y1: int

    def leaves(self, width: int, height: int) -> bool:
        """Whether a part is outside a frame of this size."""
        return self.x0 < 0 or self.y0 < 0 or self.x1 > width or self.y1 > height


def square_around(box: Sequence[float], margin: Margin) -> Rectangle:
    """The square of whole pixels around a box (x0, y0, x1, y1) and its margin.

    The shorter direction grows on both sides equally, so that the aspect of the face is kept.
    """
    x0, y0, x1, y1 = box[:4]
    width, height = x1 - x0, y1 - y0
    left, right = x0 - margin.sides * width, x1 + margin.sides * width
    top, bottom = y0 - margin.top * height, y1 + margin.bottom * height
    side = max(1, round(max(right - left, bottom - top)))
    x = math.floor((left + right - side) / 2 + 0.5)
    y = math.floor((top + bottom - side) / 2 + 0.5)
    return Rectangle(x, y, x + side, y + side)


def is_plausible(box: Sequence[float], width: int, height: int) -> bool:
    """Whether a box can be cut: finite, not empty, with its centre in the frame, not vast."""
    if not all(math.isfinite(value) for value in box[:4]):
        return False
    x0, y0, x1, y1 = box[:4]
    centred = 0 <= x0 + x1 <= 2 * width and 0 <= y0 + y1 <= 2 * height
    sides = x1 - x0, y1 - y0
    return centred and min(sides) >= 1 and max(sides) <= 2 * max(width, height)


def cut(image: Image, square: Rectangle) -> Image:
    """The square cut out of the image; beyond the border, the border's pixels are repeated."""
    height, width = image.shape[:2]
    if not square.leaves(width, height):
        return image[square.y0 : square.y1, square.x0 : square.x1]
    rows = np.clip(np.arange(square.y0, square.y1), 0, height - 1)
    columns = np.clip(np.arange(square.x0, square.x1), 0, width - 1)
    return image[np.ix_(rows, columns)]
