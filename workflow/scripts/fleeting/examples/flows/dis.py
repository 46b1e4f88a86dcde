"""DIS: flow of small patches, made dense and smooth (Kroeger et al., ECCV 2016), as in OpenCV.

The fastest. OpenCV's preset "fast", its default, finds the flow at a quarter of the pictures' size.
"""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting.errors import UserError
from fleeting.settings import Variant

Scale = Annotated[int, Field(ge=0, le=9)]
Count = Annotated[int, Field(ge=1, le=1000)]
#: OpenCV needs as many pixels on one side, and reads outside of the picture if the other has less.
SMALLEST = 12


class Settings(Variant):
    """The keys of `algorithm: {kind: dis}`; all defaults are those of OpenCV's preset "fast"."""

    kind: str = "dis"
    finest_scale: Scale = Field(
        2,
        description="The flow is found in pictures halved so often, and enlarged. In pictures that "
        "are too small for it, OpenCV chooses this and `patch_size` by their width.",
    )
    coarsest_scale: Scale | None = Field(
        None, description="The pictures that it begins with are halved so often. null: by size."
    )
    patch_size: int = Field(8, ge=1, le=32, description="Side of a patch in pixels.")
    patch_stride: int = Field(4, ge=1, le=8, description="From one patch to the next in pixels.")
    gradient_descent_iterations: Count = Field(16, description="Of each patch in each size.")
    mean_normalization: bool = Field(
        True, description="Whether patches are compared without their means, so without light."
    )
    spatial_propagation: bool = Field(
        True, description="Whether a patch may begin with its neighbours' flow."
    )
    refinement_iterations: int = Field(
        5,
        ge=0,
        le=1000,
        description="Of the variational refinement, which makes the flow smooth; 0: none.",
    )
    refinement_alpha: float = Field(20, ge=0, description="Its weight of smoothness.")
    refinement_delta: float = Field(5, ge=0, description="Its weight of equal grey values.")
    refinement_gamma: float = Field(10, ge=0, description="Its weight of equal gradients.")
    refinement_epsilon: float = Field(
        0.01, gt=0, description="Below this, its penalties are quadratic."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        # With such settings OpenCV writes outside of its memory, or ignores them.
        if self.patch_stride > self.patch_size:
            raise PydanticCustomError("stride", "patch_stride must be at most patch_size")
        if self.coarsest_scale is not None and self.coarsest_scale < self.finest_scale:
            raise PydanticCustomError("scales", "coarsest_scale must be at least finest_scale")
        return self


def flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], settings: Settings
) -> NDArray[np.float32]:
    """The motion from one grey picture (H, W) to another: (H, W, 2), to the right and down.

    Raises:
        UserError: a side has less than 12 pixels.
        cv2.error: the picture is smaller than a patch.
    """
    import cv2

    if min(before.shape) < SMALLEST:
        raise UserError(
            f"inputs: dis needs crops of at least {SMALLEST} x {SMALLEST} pixels; set a larger "
            "`size` of the crops, or another algorithm"
        )

    algorithm = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    algorithm.setFinestScale(settings.finest_scale)
    if settings.coarsest_scale is not None:
        algorithm.setCoarsestScale(settings.coarsest_scale)
    algorithm.setPatchSize(settings.patch_size)
    algorithm.setPatchStride(settings.patch_stride)
    algorithm.setGradientDescentIterations(settings.gradient_descent_iterations)
    algorithm.setUseMeanNormalization(settings.mean_normalization)
    algorithm.setUseSpatialPropagation(settings.spatial_propagation)
    algorithm.setVariationalRefinementIterations(settings.refinement_iterations)
    algorithm.setVariationalRefinementAlpha(settings.refinement_alpha)
    algorithm.setVariationalRefinementDelta(settings.refinement_delta)
    algorithm.setVariationalRefinementGamma(settings.refinement_gamma)
    algorithm.setVariationalRefinementEpsilon(settings.refinement_epsilon)
    # OpenCV's stubs do not know that there may be no flow to start from.
    found = algorithm.calc(before, after, None)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)
