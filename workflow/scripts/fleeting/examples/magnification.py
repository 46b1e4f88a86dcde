"""Eulerian motion magnification, linear (Wu et al., Eulerian video magnification, SIGGRAPH 2012).

Each picture of a clip is split into a Laplacian pyramid. In each level, what changes in time within
a band is amplified and added back: small motions become larger ones, without being looked for. The
residual below the last level stays: light that changes as a whole is no motion.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting.errors import UserError
from fleeting.examples.input import Picture
from fleeting.settings import Settings

#: A wavelength of level 0, in pixels. Level l passes, by half or more, those of 3.8 x 2^l to
#: 7.7 x 2^l pixels (its filter, twice, is cos(pi f)^8); the shorter ones have the lower limit.
FINEST = 4
Levels = list[NDArray[np.float32]]


class Magnification(Settings):
    """The keys of `magnify`; the defaults are those of its authors for their example `baby`."""

    amplification: float = Field(
        10, gt=0, le=1000, description="alpha: how many times the change is added to a picture."
    )
    wavelength: float = Field(
        16,
        gt=0,
        le=10000,
        description="lambda_c in pixels of the crop: what is finer is amplified less, since its "
        "motion would leave the range in which the method holds.",
    )
    fast: float = Field(
        0.4,
        gt=0,
        le=1,
        description="r1: share of a new picture in the faster of the two running means whose "
        "difference is the band; 1: the picture itself.",
    )
    slow: float = Field(
        0.05, ge=0, lt=1, description="r2: the same of the slower one; 0: it stays the first."
    )
    levels: int = Field(
        5,
        ge=1,
        le=12,
        description="Of the pyramid; the last has wavelengths of up to 2^(levels + 2) pixels.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.slow >= self.fast:
            raise PydanticCustomError("band", "fast must be more than slow")
        return self


def magnified(pictures: Sequence[Picture], settings: Magnification | None) -> list[Picture]:
    """The pictures of a clip with larger motions; the first stays as it is. None: all stay.

    Of a sequence of two, the second becomes second + alpha (fast - slow) (second - first), in each
    level of the pyramid with the alpha of `level_amplification`.

    Args:
        pictures: in the order of time, evenly spaced, each (H, W) or (H, W, 3) uint8.
        settings: null in the config: None.

    Raises:
        UserError: the pictures are too small for so many levels.
    """
    if settings is None:
        return [*pictures]
    side, levels = min(pictures[0].shape[:2]), settings.levels
    if 2**levels > side:
        raise UserError(
            f"inputs: magnify.levels is {levels}, but crops of {side} pixels have at most "
            f"{side.bit_length() - 1}; set fewer"
        )
    factors = [level_amplification(level, settings) for level in range(levels)]
    fast = slow = laplacian(pictures[0], levels)
    found = [pictures[0]]
    for picture in pictures[1:]:
        now = laplacian(picture, levels)
        fast = [mean + settings.fast * (new - mean) for mean, new in zip(fast, now, strict=True)]
        slow = [mean + settings.slow * (new - mean) for mean, new in zip(slow, now, strict=True)]
        bands = zip(factors, fast, slow, strict=True)
        change = collapsed([factor * (quick - late) for factor, quick, late in bands])
        found.append(np.clip(np.rint(picture + change), 0, 255).astype(np.uint8))
    return found


def level_amplification(level: int, settings: Magnification) -> float:
    """The alpha of a level: that of the settings, at most lambda_l / (8 delta) - 1, at least 0.

    delta = lambda_c / (8 (1 + alpha)), the largest motion in pixels for which the approximation
    holds at lambda_c: (1 + alpha) delta < lambda / 8.
    """
    delta = settings.wavelength / (8 * (1 + settings.amplification))
    limit = FINEST * 2**level / (8 * delta) - 1
    return min(settings.amplification, max(0.0, limit))


def laplacian(picture: Picture, levels: int) -> Levels:
    """The levels of a picture's Laplacian pyramid (Burt and Adelson, 1983), but its residual."""
    import cv2

    found = []
    current = picture.astype(np.float32)
    for _ in range(levels):
        smaller = cv2.pyrDown(current)
        found.append(current - _enlarged(smaller, current))
        current = np.asarray(smaller, np.float32)
    return found


def collapsed(levels: Levels) -> NDArray[np.float32]:
    """The picture whose pyramid has these levels and no residual."""
    total = levels[-1]
    for level in levels[-2::-1]:
        total = level + _enlarged(total, level)
    return total


def _enlarged(picture: NDArray, like: NDArray) -> NDArray[np.float32]:
    import cv2

    height, width = like.shape[:2]
    return np.asarray(cv2.pyrUp(picture, dstsize=(width, height)), np.float32)
