"""The frame to which the face moves most: the largest mean optical flow from the onset.

The mean is over the lengths of the flow in the middle of the face, without the eyes, whose blinks
move more than an expression. First the head's own motion is taken off: the median of the flow over
the same pixels, in each direction. The background is left out because it stays where it is and so
seems to move against a head that drifts. The means are smoothed over time, since at the apex the
face hardly moves and noise decides.

The defaults are those of a face as the default detector's box has it, and were set on synthetic
clips: docs/motion.md has what they reach there.
"""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, SerializeAsAny, model_validator
from pydantic_core import PydanticCustomError

from fleeting.errors import UserError
from fleeting.examples.apex import ApexSettings
from fleeting.examples.grey import grey
from fleeting.examples.input import Picture
from fleeting.examples.optical_flow import flow_between
from fleeting.settings import OneOf, Variant

#: A box that follows the face would hide its motion, and add that of the detector.
ONE_BOX = True
Share = Annotated[float, Field(ge=0, le=1)]


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise PydanticCustomError("ends", "the first share must be less than the second")
    return ends


Ends = Annotated[tuple[Share, Share], AfterValidator(_ascending)]


class Settings(ApexSettings):
    """What computes the flow, and where it counts: shares of the crop, from its top and left."""

    kind: str = "motion"
    algorithm: Annotated[SerializeAsAny[Variant], OneOf("flow")] = Field(
        {"kind": "dis", "finest_scale": 1},
        validate_default=True,
        description="What computes the flow: a module of examples/flows.",
    )
    rows: Ends = Field((0.15, 0.8), description="From above the brows to below the mouth.")
    columns: Ends = Field((0.25, 0.75), description="From cheek to cheek, without background.")
    eye_rows: Ends = Field((0.26, 0.44), description="Of the eyes, which do not count.")
    eye_columns: Ends = Field((0.15, 0.85), description="Of the eyes, which do not count.")
    smoothing: float = Field(
        0.07,
        ge=0,
        le=1,
        description="Standard deviation of the Gaussian weights over time, as a share of the "
        "clip's frames; 0: none.",
    )

    @model_validator(mode="after")
    def _leave_something(self) -> Self:
        if _lies_in(self.rows, self.eye_rows) and _lies_in(self.columns, self.eye_columns):
            raise PydanticCustomError(
                "eyes", "eye_rows and eye_columns cover all of rows and columns; nothing is left"
            )
        return self


def apex(pictures: Sequence[Picture], frames: Sequence[int], settings: Settings) -> int:
    """The place of the frame with the most motion, the first of equals.

    Raises:
        UserError: the algorithm finds no flow of the crops, or no pixel of them counts.
    """
    onset, *others = map(grey, pictures)
    counted = _counted(onset.shape, settings)
    moved = [0.0, *(_motion(onset, other, counted, settings) for other in others)]
    smooth = _smoothed(np.array(moved), settings.smoothing * len(moved))
    return 1 + int(np.argmax(smooth[1:-1]))


def _motion(
    onset: NDArray[np.uint8],
    other: NDArray[np.uint8],
    counted: NDArray[np.bool_],
    settings: Settings,
) -> float:
    """The mean length, in pixels, of the flow between two grey pictures without the head's."""
    flow = flow_between(onset, other, settings.algorithm)[counted]
    return float(np.linalg.norm(flow - np.median(flow, axis=0), axis=1).mean())


def _counted(shape: tuple[int, ...], settings: Settings) -> NDArray[np.bool_]:
    """Which pixels (H, W) count."""
    counted = np.zeros(shape, np.bool_)
    counted[_window(shape, settings.rows, settings.columns)] = True
    counted[_window(shape, settings.eye_rows, settings.eye_columns)] = False
    if not counted.any():
        raise UserError(
            f"inputs: rows, columns, eye_rows and eye_columns of the apex leave no pixel of crops "
            f"of {shape[1]} x {shape[0]}; set wider ones, or a larger `size` of the crops"
        )
    return counted


def _window(
    shape: tuple[int, ...], rows: tuple[float, float], columns: tuple[float, float]
) -> tuple[slice, slice]:
    height, width = shape
    top, bottom = (round(share * height) for share in rows)
    left, right = (round(share * width) for share in columns)
    return slice(top, bottom), slice(left, right)


def _smoothed(values: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    """Means of the values (N) with Gaussian weights; at the ends over those that are there."""
    if not deviation:
        return values
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2)
    return np.asarray(weights @ values / weights.sum(axis=1))


def _lies_in(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
