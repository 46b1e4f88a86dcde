"""Farnebäck: flow of pictures approximated by polynomials (SCIA 2003), as in OpenCV.

There is no earlier flow to start from, so that OpenCV's flag for one is not offered. Nor are its
fast pyramids, which change nothing on a processor.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.settings import Variant

Count = Annotated[int, Field(ge=1, le=1000)]


class Settings(Variant):
    """The keys of `algorithm: {kind: farneback}`; all defaults are OpenCV's."""

    kind: str = "farneback"
    levels: int = Field(
        5,
        ge=0,
        le=1000,
        description="Smaller sizes of the pictures besides their own, none below 32 pixels.",
    )
    scale: float = Field(0.5, gt=0, lt=1, description="From one size to the next.")
    window: Count = Field(
        13, description="Side in pixels over which flow is averaged: larger is smoother."
    )
    gaussian_window: bool = Field(
        False, description="Whether the middle of the window has more weight."
    )
    iterations: Count = Field(10, description="In each size.")
    neighbourhood: Literal[5, 7] = Field(
        5, description="Side in pixels that a polynomial is fitted to."
    )
    sigma: float = Field(
        1.1, gt=0, description="Of the Gaussian weights of that fit, in pixels; 1.5 goes with 7."
    )


def flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], settings: Settings
) -> NDArray[np.float32]:
    """The motion from one grey picture (H, W) to another: (H, W, 2), to the right and down."""
    import cv2

    algorithm = cv2.FarnebackOpticalFlow.create(
        numLevels=settings.levels,
        pyrScale=settings.scale,
        winSize=settings.window,
        numIters=settings.iterations,
        polyN=settings.neighbourhood,
        polySigma=settings.sigma,
        flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN if settings.gaussian_window else 0,
    )
    # OpenCV's stubs do not know that there may be no flow to start from.
    found = algorithm.calc(before, after, None)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)
