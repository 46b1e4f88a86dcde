"""Soft shapes on a canvas in face units, drawn in small windows: most of a face costs nothing.

A canvas holds premultiplied colour and coverage, (height, width, 4) float32 with colours in
0..255 and coverage in 0..1, so that it can be laid over any background.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Points = NDArray[np.float64]

#: Fractional bits of the coordinates that OpenCV draws with: a sixteenth of a pixel.
SHIFT = 4


@dataclass(frozen=True)
class Mask:
    """Coverage in 0..1 on a window of the canvas; none outside it."""

    values: Array
    top: int
    left: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the canvas that the mask covers."""
        height, width = self.values.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def within(self, other: "Mask") -> "Mask":
        """What both this mask and `other` cover."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = max(top, min(mask.window[0].stop for mask in (self, other)))
        right = max(left, min(mask.window[1].stop for mask in (self, other)))
        own, its = (
            mask.values[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left]
            for mask in (self, other)
        )
        return Mask(own * its, top, left)


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a canvas lie: `unit` pixels a face unit, x and y of their centres."""

    unit: float
    x: Array
    y: Array

    @classmethod
    def around(cls, unit: float, left: float, top: float, right: float, bottom: float) -> "Grid":
        """A grid that covers the given box of face units."""
        width, height = round((right - left) * unit), round((bottom - top) * unit)
        x = left + (np.arange(width, dtype=np.float32) + 0.5) / unit
        y = top + (np.arange(height, dtype=np.float32) + 0.5) / unit
        return cls(unit, x.astype(np.float32), y.astype(np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return len(self.y), len(self.x)

    def pixels(self, points: Points) -> Points:
        """Face units to pixels: (n, 2) of x and y; a pixel's centre has whole coordinates."""
        return (points - (float(self.x[0]), float(self.y[0]))) * self.unit

    def spot(self, x: float, y: float, spread_x: float, spread_y: float) -> Mask:
        """A Gaussian spot exp(-(dx / spread_x)^2 - (dy / spread_y)^2)."""
        rows = self._span(self.y, y, 2.6 * spread_y)
        columns = self._span(self.x, x, 2.6 * spread_x)
        across = np.exp(-(((self.x[columns] - x) / spread_x) ** 2))
        down = np.exp(-(((self.y[rows] - y) / spread_y) ** 2))
        return Mask(down[:, None] * across, rows.start, columns.start)

    def polygon(self, points: Points, soft: float) -> Mask:
        """A filled polygon whose edge is blurred by `soft` face units (standard deviation)."""
        return self._drawn([points], soft, 0)

    def line(self, points: Points, width: float, soft: float) -> Mask:
        """An open line of the given width, blurred by `soft` face units."""
        return self._drawn([points], soft, max(1, round(width * self.unit)))

    def strokes(self, lines: Sequence[Points], soft: float) -> Mask:
        """Many lines of one pixel, as hairs, in one mask."""
        return self._drawn(lines, soft, 1)

    def _drawn(self, shapes: Sequence[Points], soft: float, thickness: int) -> Mask:
        height, width = self.shape
        pixels = [self.pixels(points) for points in shapes]
        every = np.concatenate(pixels)
        blur = soft * self.unit
        margin = int(3 * blur + thickness) + 2
        left, top = np.clip(every.min(0).astype(int) - margin, 0, (width, height))
        right, bottom = np.clip(every.max(0).astype(int) + margin + 1, 0, (width, height))
        drawn = np.zeros((bottom - top, right - left), np.uint8)
        if drawn.size == 0:
            return Mask(drawn.astype(np.float32), int(top), int(left))
        scaled = [
            np.rint((shape - (left, top)) * (1 << SHIFT)).astype(np.int32) for shape in pixels
        ]
        if thickness:
            cv2.polylines(drawn, scaled, False, 255, thickness, cv2.LINE_AA, SHIFT)
        else:
            cv2.fillPoly(drawn, scaled, 255, cv2.LINE_AA, SHIFT)
        values = drawn.astype(np.float32) / 255
        return Mask(blurred(values, blur), int(top), int(left))

    @staticmethod
    def _span(axis: Array, centre: float, reach: float) -> slice:
        start, stop = np.searchsorted(axis, (centre - reach, centre + reach))
        return slice(int(start), int(stop))


#: A mask that covers nothing.
NOTHING = Mask(np.zeros((0, 0), np.float32), 0, 0)


@dataclass(frozen=True)
class PointKeeper(Grid):
    """A grid on which nothing is drawn: it keeps the points of what would be, in face units."""

    points: list[Points] = field(default_factory=list)

    def spot(self, x: float, y: float, spread_x: float, spread_y: float) -> Mask:
        """Nothing: a spot has no outline."""
        return NOTHING

    def polygon(self, points: Points, soft: float) -> Mask:
        """Keep the polygon's points."""
        return self.strokes([points], soft)

    def line(self, points: Points, width: float, soft: float) -> Mask:
        """Keep the line's points."""
        return self.strokes([points], soft)

    def strokes(self, lines: Sequence[Points], soft: float) -> Mask:
        """Keep the points of all lines."""
        self.points.extend(lines)
        return NOTHING


def paint(canvas: Array, mask: Mask, colour: Sequence[float], strength: float = 1.0) -> None:
    """Lay a colour over the canvas where the mask covers it."""
    window = canvas[mask.window]
    cover = (mask.values * strength)[..., None]
    window += (np.array((*colour, 1.0), np.float32) - window) * cover


def add(field: Array, mask: Mask, amount: float) -> None:
    """Add a multiple of a mask to a field of the canvas's size."""
    field[mask.window] += mask.values * np.float32(amount)


def blurred(values: NDArray[Any], sigma: float) -> Array:
    """Gaussian blur by `sigma` pixels, as float32; a tiny sigma changes nothing."""
    if sigma < 0.2:
        return np.asarray(values, np.float32)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def curve(*points: tuple[float, float], steps: int = 40) -> Points:
    """A smooth curve of `steps` points through the given ones."""
    return _hermite(len(points), steps) @ np.array(points)


@cache
def _hermite(count: int, steps: int) -> Points:
    """Weights of a cubic Hermite curve through `count` equally spaced points, (steps, count)."""
    knots = np.linspace(0, 1, count)
    values = np.eye(count)
    slopes = np.gradient(values, knots, axis=0, edge_order=2 if count > 2 else 1)
    position = np.linspace(0, 1, steps)
    start = np.clip(np.searchsorted(knots, position, "right") - 1, 0, count - 2)
    step = knots[1]
    s = ((position - knots[start]) / step)[:, None]
    return np.asarray(
        (2 * s**3 - 3 * s**2 + 1) * values[start]
        + (s**3 - 2 * s**2 + s) * step * slopes[start]
        + (3 * s**2 - 2 * s**3) * values[start + 1]
        + (s**3 - s**2) * step * slopes[start + 1]
    )


def ellipse(x: float, y: float, radius_x: float, radius_y: float) -> Points:
    """The outline of an ellipse."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], 1)
