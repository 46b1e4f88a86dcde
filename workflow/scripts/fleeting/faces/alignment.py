"""How the head moved from a clip's first frame to another one: registration of its rigid regions.

Gauss-Newton on grey values (Lucas and Kanade, IJCAI 1981; Baker and Matthews, IJCV 2004: inverse
compositional), with a gain and an offset of the light, in pictures of growing size. Its weights are
Tukey's biweight, found again in every step, so that what does not move with the head counts for
little: blinks, brows, a piece of the background.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fleeting.errors import Unusable
from fleeting.faces.box import Rectangle
from fleeting.faces.detector import Image

Grey = NDArray[np.float32]
Array = NDArray[np.float64]

#: Longer sides of the box, in pixels, at which it is compared; its own where that is less. At the
#: first, the head is searched for.
SIDES = (32, 64, 128)
#: What is compared, as shares of the box: left, top, right, bottom. The mouth and the jaw, which
#: are below, move by themselves.
REGION = (0.1, 0.05, 0.9, 0.62)
#: How far the head is followed: a share of the box's longer side, and degrees.
REACH, LARGEST_ROLL = 0.5, 30
#: Standard deviation of the blur of the compared pictures, in their pixels.
BLUR = 0.8
#: Where the biweight becomes 0, in standard deviations: 95% efficient on normal residuals.
TUKEY = 4.685
#: The least standard deviation of residuals, in grey values: rounding alone makes about as much.
LEAST_DEVIATION = 0.3
#: Steps at each size, and the length in its pixels of one after which there is no other.
STEPS, LAST_STEP = 30, 0.005
#: Two frames show the same if the light has at least this gain, and their slopes this correlation:
#: it is above .7 for synthetic faces with blinks, and about 0 for noise and even light.
LEAST_GAIN, LIKENESS = 0.01, 0.3
#: The condition of the normal equations is below 1e7 for faces, above 1e13 where rounding is all.
LARGEST_CONDITION = 1e10
#: A smaller box, in pixels, shows too little.
SMALLEST = 16


class Motion(NamedTuple):
    """A head's motion since the clip's first frame.

    `x` (to the right) and `y` (down) are of the box's centre, in pixels of the frame; `roll` is in
    degrees, clockwise.
    """

    x: float
    y: float
    roll: float


STILL = Motion(0.0, 0.0, 0.0)


def to_frame(square: Rectangle, motion: Motion, width: int, height: int) -> Array:
    """The affine map (2, 3) from a picture of the box to a frame in which the head has moved.

    Args:
        square: the box in the clip's first frame.
        motion: of the head since then.
        width: of the picture, in pixels; integers are the centres of pixels.
        height: of the picture.
    """
    scale = np.diag([(square.x1 - square.x0) / width, (square.y1 - square.y0) / height])
    linear = _turn(np.deg2rad(motion.roll)) @ scale
    centre = (square.x0 + square.x1 - 1) / 2 + motion.x, (square.y0 + square.y1 - 1) / 2 + motion.y
    return np.column_stack([linear, centre - linear @ ((width - 1) / 2, (height - 1) / 2)])


def cut_moved(image: Image, square: Rectangle, motion: Motion, size: int | None) -> Image:
    """The box, moved and turned with the head, cut out of a frame: resampled once (bicubic).

    Where the box is smaller than a crop of `size`, it is enlarged at once. Where it is larger, it
    keeps its size, so that it can be shrunk as the first frame's. Beyond the frame's border, its
    pixels are repeated.
    """
    width, height = square.x1 - square.x0, square.y1 - square.y0
    if size is not None and max(width, height) <= size:
        width = height = size
    map_ = to_frame(square, motion, width, height)
    return np.asarray(_warp(image, map_, width, height, cv2.INTER_CUBIC), np.uint8)


class Reference:
    """A clip's first frame, with which the others are compared."""

    def __init__(self, image: Image, square: Rectangle) -> None:
        """Keep what is compared of a frame, in which `square` is the box of the face."""
        self.square = square
        longest = max(square.x1 - square.x0, square.y1 - square.y0)
        reach = round(REACH * longest)
        height, width = image.shape[:2]
        self.window = Rectangle(
            max(square.x0 - reach, 0),
            max(square.y0 - reach, 0),
            min(square.x1 + reach, width),
            min(square.y1 + reach, height),
        )
        grey = self._grey(image)
        shortest = min(square.x1 - square.x0, square.y1 - square.y0)
        sides = sorted({min(side, longest) for side in SIDES}) if shortest >= SMALLEST else []
        self.levels = [_Level(grey, self.window, square, longest / side) for side in sides]

    def motion(self, image: Image) -> Motion:
        """How the head moved until another frame of the same size.

        Raises:
            Unusable: `not_aligned`, with what was tried: one of the two frames is flat, they do not
                show the same, the head is beyond reach, or the box is too small.
        """
        if not self.levels:
            raise _unaligned(f"a side of the box has less than {SMALLEST} pixels")
        grey = self._grey(image)
        pictures = [level.shrunk(grey) for level in self.levels]
        found, likeness = self.levels[0].search(pictures[0]), 0.0
        for level, picture in zip(self.levels, pictures, strict=True):
            found, likeness = level.register(picture, found)
        if likeness < LIKENESS:
            raise _unaligned(f"the frames' slopes correlate by {likeness:.2f}, needed {LIKENESS:g}")
        # Without a -0, which tables would show.
        return Motion(*(round(value, 6) + 0.0 for value in found))

    def _grey(self, image: Image) -> Grey:
        x0, y0, x1, y1 = self.window
        window = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
        return np.asarray(window, np.float32)


class _Level:
    """The first frame's box at one size: what it shows, and how that changes if the head moves."""

    def __init__(self, grey: Grey, window: Rectangle, square: Rectangle, scale: float) -> None:
        """Keep the box out of the window in grey; a pixel here is `scale` pixels of the frame."""
        self.window, self.square, self.scale = window, square, scale
        self.width = max(round((square.x1 - square.x0) / scale), 1)
        self.height = max(round((square.y1 - square.y0) / scale), 1)
        left, top, right, bottom = REGION
        rows = slice(round(top * self.height), round(bottom * self.height))
        self.region = rows, slice(round(left * self.width), round(right * self.width))
        self.picture = self._box(self.shrunk(grey), STILL)
        x = np.arange(self.width)[None, :] - (self.width - 1) / 2
        y = np.arange(self.height)[:, None] - (self.height - 1) / 2
        right_slope, down_slope = _slopes(self.picture)
        turn_slope = x * down_slope - y * right_slope
        columns = right_slope, down_slope, turn_slope, self.picture, np.ones_like(turn_slope)
        #: (pixels, 5): by how much a pixel changes if what is seen moves by a pixel to the left, by
        #: one up, by a radian anticlockwise; what a gain of the light multiplies; 1 for an offset.
        self.changes = np.stack([values[self.region].ravel() for values in columns], axis=1)

    def search(self, picture: Grey) -> Motion:
        """The motion without a turn after which another frame's shrunk window is the most alike."""
        around = round(REACH * max(self.width, self.height))
        rows, columns = self.region
        wide = self._box(picture, STILL, around)
        found = cv2.matchTemplate(wide, self.picture[self.region], cv2.TM_CCOEFF_NORMED)
        row, column = divmod(int(np.argmax(found)), found.shape[1])
        right, down = column - around - columns.start, row - around - rows.start
        return Motion(right * self.scale, down * self.scale, 0)

    def register(self, picture: Grey, start: Motion) -> tuple[Motion, float]:
        """The motion until another frame, from its shrunk window.

        Returns:
            The motion, and the smaller correlation of the slopes to the right and down.
        """
        found, weights = start, np.ones(len(self.changes))
        for _ in range(STEPS):
            seen = self._box(picture, found)
            values = seen[self.region].ravel().astype(float)
            weighted = self.changes * weights[:, None]
            products = weighted.T @ self.changes
            if np.linalg.cond(products) > LARGEST_CONDITION:
                raise _unaligned("the first frame is flat, in one direction or in both")
            fitted = np.linalg.solve(products, weighted.T @ values)
            weights = _biweight(values - self.changes @ fitted)
            if fitted[3] < LEAST_GAIN:
                raise _unaligned("the frame is flat, or does not show the same")
            right, down, turn = fitted[:3] / fitted[3]
            roll = np.deg2rad(found.roll) - turn
            x, y = -self.scale * (_turn(roll) @ (right, down))
            found = Motion(float(found.x + x), float(found.y + y), float(np.rad2deg(roll)))
            self._check_reach(found)
            if max(abs(right), abs(down), abs(turn) * self.width / 2) < LAST_STEP:
                break
        likeness = [
            _correlation(own, slope[self.region].ravel().astype(float), weights)
            for own, slope in zip(self.changes.T[:2], _slopes(seen), strict=True)
        ]
        return found, min(likeness)

    def _check_reach(self, found: Motion) -> None:
        reach = REACH * self.scale * max(self.width, self.height)
        if max(abs(found.x), abs(found.y)) > reach or abs(found.roll) > LARGEST_ROLL:
            raise _unaligned(
                f"the head is not found within {reach:.0f} pixels and {LARGEST_ROLL} degrees"
            )

    def shrunk(self, grey: Grey) -> Grey:
        """A window in this size, blurred a little: interpolation then changes it less."""
        height, width = grey.shape
        size = max(round(width / self.scale), 1), max(round(height / self.scale), 1)
        shrunk = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(shrunk, (0, 0), BLUR), np.float32)

    def _box(self, picture: Grey, motion: Motion, around: int = 0) -> Grey:
        """The box, with some pixels around it, in a shrunk window in which the head has moved."""
        x0, y0, x1, y1 = self.window
        shrink = np.array(picture.shape[::-1]) / (x1 - x0, y1 - y0)
        map_ = to_frame(self.square, motion, self.width, self.height)
        map_[:, 2] -= map_[:, :2] @ (around, around)
        map_ *= shrink[:, None]
        map_[:, 2] += (0.5 - np.array((x0, y0))) * shrink - 0.5
        size = self.width + 2 * around, self.height + 2 * around
        return np.asarray(_warp(picture, map_, *size, cv2.INTER_LINEAR), np.float32)


def _warp(picture: NDArray, map_: Array, width: int, height: int, interpolation: int) -> NDArray:
    """What a picture shows where an affine map leads each pixel; its border is repeated."""
    return cv2.warpAffine(
        picture,
        map_,
        (width, height),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _turn(angle: float) -> Array:
    """The matrix of a turn, in radians, clockwise where y points down."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _slopes(picture: Grey) -> tuple[Grey, Grey]:
    """By how much each pixel grows to the right, and down."""
    down, right = np.gradient(picture)
    return np.asarray(right, np.float32), np.asarray(down, np.float32)


def _biweight(residuals: Array) -> Array:
    """Tukey's weights of residuals; their median absolute value gives the standard deviation."""
    deviation = max(1.4826 * float(np.median(np.abs(residuals))), LEAST_DEVIATION)
    return np.clip(1 - (residuals / (TUKEY * deviation)) ** 2, 0, None) ** 2


def _correlation(one: Array, other: Array, weights: Array) -> float:
    """Pearson's correlation of weighted values; 0 where one of them is constant."""
    one = one - float(np.average(one, weights=weights))
    other = other - float(np.average(other, weights=weights))
    scale = np.sqrt(weights @ one**2) * np.sqrt(weights @ other**2)
    return float(weights @ (one * other) / scale) if scale else 0.0


def _unaligned(detail: str) -> Unusable:
    return Unusable("not_aligned", detail)
