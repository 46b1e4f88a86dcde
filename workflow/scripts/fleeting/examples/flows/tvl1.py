"""TV-L1: flow that may have sharp edges (Zach, Pock and Bischof, DAGM 2007).

As in OpenCV's contributed modules, after Sánchez, Meinhardt-Llopis and Facciolo (Image Processing
On Line, 2013). There is no earlier flow to start from, so that OpenCV's `useInitialFlow` is not
offered.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.settings import Variant

Count = Annotated[int, Field(ge=1, le=1000)]


class Settings(Variant):
    """The keys of `algorithm: {kind: tvl1}`; all defaults are OpenCV's."""

    kind: str = "tvl1"
    tau: float = Field(0.25, gt=0, description="The time step; up to 0.25 it converges.")
    lambda_: float = Field(
        0.15,
        gt=0,
        alias="lambda",
        description="Weight of the pictures' likeness: smaller is smoother.",
    )
    theta: float = Field(
        0.3, gt=0, description="How far the smooth flow may be from the one that fits the pictures."
    )
    scales: Count = Field(
        5, description="Sizes of the pictures, their own included, none below 16 pixels."
    )
    scale_step: float = Field(0.8, gt=0, lt=1, description="From one size to the next.")
    warps: Count = Field(5, description="How often a picture is warped in each size.")
    epsilon: float = Field(
        0.01, ge=0, description="A warp ends when the flow changes less than this."
    )
    inner_iterations: Count = Field(30, description="Between two checks of `epsilon`.")
    outer_iterations: Count = Field(
        10, description="The most checks of a warp; a median filter precedes each."
    )
    gamma: float = Field(
        0, ge=0, description="Weight of a change of light, which is then estimated too; 0: none."
    )
    median_filtering: Literal[1, 3, 5] = Field(5, description="Its side in pixels; 1: none.")


def flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], settings: Settings
) -> NDArray[np.float32]:
    """The motion from one grey picture (H, W) to another: (H, W, 2), to the right and down."""
    import cv2

    algorithm = cv2.optflow.DualTVL1OpticalFlow.create(
        tau=settings.tau,
        lambda_=settings.lambda_,
        theta=settings.theta,
        nscales=settings.scales,
        warps=settings.warps,
        epsilon=settings.epsilon,
        # OpenCV spells it so.
        innnerIterations=settings.inner_iterations,
        outerIterations=settings.outer_iterations,
        scaleStep=settings.scale_step,
        gamma=settings.gamma,
        medianFiltering=settings.median_filtering,
    )
    # OpenCV's stubs do not know that there may be no flow to start from.
    found = algorithm.calc(before, after, None)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)
