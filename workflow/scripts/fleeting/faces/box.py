"""From a detected box to the square that is cut out: pure geometry."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleeting.faces.detection import Image
from fleeting.faces.settings import Margin


@dataclass(frozen=True)
class Square:
    """A square of whole pixels of the frame; it may reach beyond the frame."""

    x0: int
    y0: int
    side: int

    @property
    def x1(self) -> int:
        """The first column to the right of the square."""
        return self.x0 + self.side

    @property
    def y1(self) -> int:
        """The first row below the square."""
        return self.y0 + self.side

    def leaves(self, width: int, height: int) -> bool:
        """Whether a part of the square lies outside a frame of this size."""
        return self.x0 < 0 or self.y0 < 0 or self.x1 > width or self.y1 > height


def square_around(box: Sequence[float], margin: Margin) -> Square:
    """The square of whole pixels around a box (x0, y0, x1, y1) and its margin.

    The shorter direction grows on both sides equally, so that the aspect of the face is kept.
    """
    x0, y0, x1, y1 = box[:4]
    width, height = x1 - x0, y1 - y0
    left, right = x0 - margin.sides * width, x1 + margin.sides * width
    top, bottom = y0 - margin.top * height, y1 + margin.bottom * height
    side = max(1, round(max(right - left, bottom - top)))
    return Square(
        math.floor((left + right - side) / 2 + 0.5),
        math.floor((top + bottom - side) / 2 + 0.5),
        side,
    )


def is_cut(box: Sequence[float], width: int, height: int) -> bool:
    """Whether a detected box (x0, y0, x1, y1) reaches the border of the frame or beyond."""
    return box[0] <= 0 or box[1] <= 0 or box[2] >= width or box[3] >= height


def is_plausible(box: Sequence[float], width: int, height: int) -> bool:
    """Whether a box is one that can be cut: finite, not empty, centred in the frame, not vast."""
    if not all(math.isfinite(value) for value in box[:4]):
        return False
    x0, y0, x1, y1 = box[:4]
    centred = 0 <= x0 + x1 <= 2 * width and 0 <= y0 + y1 <= 2 * height
    sides = x1 - x0, y1 - y0
    return centred and min(sides) >= 1 and max(sides) <= 2 * max(width, height)


def cut(image: Image, square: Square) -> Image:
    """The square out of the image; what lies beyond the border repeats the border's pixels."""
    height, width = image.shape[:2]
    if not square.leaves(width, height):
        return image[square.y0 : square.y1, square.x0 : square.x1]
    rows = np.clip(np.arange(square.y0, square.y1), 0, height - 1)
    columns = np.clip(np.arange(square.x0, square.x1), 0, width - 1)
    return image[np.ix_(rows, columns)]


def resize(image: Image, size: int) -> Image:
    """The image as size x size pixels.

    Shrinking averages the pixels (area filter), which keeps fine texture from turning into
    patterns; enlarging in both directions is bicubic.
    """
    import cv2

    enlarges = max(image.shape[:2]) <= size
    filter_ = cv2.INTER_CUBIC if enlarges else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, (size, size), interpolation=filter_), np.uint8)
