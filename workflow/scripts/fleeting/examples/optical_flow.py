"""What moves between two crops of a clip: the optical flow, and its strain.

An input of it says `BETWEEN`, the phases of its first and last crop: its motion is then measured,
beside what the same `array` finds between two neutral frames (see `examples/motion.py`).

An algorithm is a module in `fleeting/examples/flows/` with two names:

- `Settings`, a `Variant`: its keys in the config;
- `flow(before, after, settings) -> NDArray[np.float32]`: how far each pixel of `before` moves, in
  pixels: (H, W, 2), to the right and down, so that before[y, x] is after[y + down, x + right]. Both
  pictures are (H, W) uint8 in grey. The result depends neither on threads nor on earlier calls.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializeAsAny

from fleeting import registry
from fleeting.errors import UserError
from fleeting.examples.grey import grey
from fleeting.examples.input import Crop, Example, InputSettings, Picture, Values
from fleeting.examples.magnification import Magnification, magnified
from fleeting.motion import MOTION
from fleeting.settings import OneOf, Variant

#: What stands for 1 by default, by what motion is measured in. The eyes are about a third of the
#: side of BlazeFace's crops apart: a hundredth of it is 0.8 pixels of a crop of 224 x 224.
UNITS = {"pixels": 1.0, "eye_distances": 0.01}


class FlowSettings(InputSettings):
    """How the flow is computed, and in which size and unit it is given."""

    algorithm: Annotated[SerializeAsAny[Variant], OneOf("flow")] = Field(
        "tvl1",
        validate_default=True,
        description="What computes the flow: a module of examples/flows.",
    )
    size: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Side of the pictures of motion in pixels, at most the crop's, such as 28; "
        "null: the crop's. A motion stays in pixels of the crop.",
    )
    measured_in: Literal["pixels", "eye_distances"] = Field(
        "pixels",
        description="What a motion is measured in: pixels of the crop, or distances of the eyes in "
        "it, so that faces of all sizes compare; these need a detector that finds the eyes.",
    )
    unit: float | None = Field(
        None,
        gt=0,
        description="How many pixels of the crop, or eye distances, stand for 1, for all clips: a "
        "clip scaled by itself would lose how strong its motion is. Strain, a ratio, is divided by "
        "it as well. null: 1 pixel, 0.01 eye distances.",
    )
    magnify: Magnification | None = Field(
        None, description="Motions are magnified before the flow is computed; null: they are not."
    )


def array(
    example: Example, pictures: Sequence[Picture], settings: FlowSettings
) -> NDArray[np.float32]:
    """The motion from the first to the second of two crops: see `motion`."""
    before, after = magnified(pictures, settings.magnify)
    return motion(example, before, [after], settings)


def motion(
    example: Example, before: Picture, afters: Sequence[Picture], settings: FlowSettings
) -> NDArray[np.float32]:
    """The motion from a crop to others, on average: (H, W, 3) float32 of crops (H, W, 3).

    Motion to the right and down, in pixels or eye distances of the crop, and strain. Shrunk to
    `size`, a pixel is the mean of those that it covers.

    Raises:
        UserError: the crops are smaller than `size`, the eyes' distance is asked for and not
            known, or see `flow_between`.
    """
    import cv2

    height, width = before.shape[:2]
    size = settings.size
    if size is not None and size > min(height, width):
        raise UserError(
            f"inputs: size is {size}, but crops are {width} x {height} pixels; set a smaller one"
        )
    first = grey(before)
    flows = [flow_between(first, grey(after), settings.algorithm) for after in afters]
    flow = np.mean(flows, axis=0)
    found: NDArray[Any] = np.dstack([flow, strain(flow)])
    if size is not None:
        found = cv2.resize(found, (size, size), interpolation=cv2.INTER_AREA)
    if settings.measured_in == "eye_distances":
        found[..., :2] /= _known_distance(example.crops[0], settings.crop)
    return np.asarray(found, np.float32)


def flow_between(
    before: NDArray[np.uint8], after: NDArray[np.uint8], algorithm: Variant
) -> NDArray[np.float32]:
    """How far each pixel of a grey picture (H, W) moves until another: (H, W, 2), in pixels.

    Raises:
        UserError: the algorithm finds no flow of pictures of this size, or none at all.
    """
    import cv2

    kind = algorithm.kind
    try:
        flow = registry.load("flow", kind).flow(before, after, algorithm)
    except cv2.error as error:
        height, width = before.shape
        raise UserError(
            f"inputs: {kind} has no flow of crops of {width} x {height} pixels ({error.err}); set "
            "a larger `size` of the crops, or other settings of the algorithm"
        ) from None
    if not np.isfinite(flow).all():
        raise UserError(f"inputs: {kind} diverges with these settings; set those of OpenCV")
    return np.asarray(flow, np.float32)


def eye_distance(crop: Crop) -> float | None:
    """The distance of the eyes in pixels of the crop; None where the detector finds none.

    Crops of one box have one.
    """
    return float(crop["eye_distance"]) if crop["eye_distance"] else None


def _known_distance(crop: Crop, name: str) -> float:
    distance = eye_distance(crop)
    if distance is None:
        raise UserError(
            f"inputs: measured_in is eye_distances, but {crop['image']} has none, since its eyes "
            f"were not looked for; set `detector: blazeface`, which finds them, in crops.{name} "
            "(with `provider_crops: detect` for crops of a database's provider), or `measured_in: "
            "pixels`"
        )
    return distance


def strain(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much a flow (H, W, 2) in pixels deforms the face at each pixel (H, W): a ratio, no unit.

    The Frobenius norm of the infinitesimal strain tensor, sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2),
    which neither a shift nor a small turn of the head changes (Shreve et al., Macro- and
    micro-expression spotting in long videos using spatio-temporal strain, FG 2011). Derivatives are
    central differences, one-sided at the borders.
    """
    right, down = flow[..., 0], flow[..., 1]
    right_down, right_right = np.gradient(right)
    down_down, down_right = np.gradient(down)
    squared = right_right**2 + down_down**2 + (right_down + down_right) ** 2 / 2
    return np.asarray(np.sqrt(squared), np.float32)


def values(settings: FlowSettings) -> Values:
    """Motion to the right, motion down, and strain; nothing moves at 0."""
    return Values(MOTION, 0, settings.unit or UNITS[settings.measured_in])
