"""How much moves in a clip, and how much seems to move between two neutral frames of it.

Optical flow is never zero. What it finds between two frames between which hardly anything happened
is the noise floor: a movement below it is not measured.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fleeting.tsv import INTEGER, NAME, NUMBER, Schema

#: The value of `pair` for two neutral frames.
NEUTRAL = "neutral"
#: How much moves in a pair of crops of a sample: from its onset to another phase, as in
#: `onset_apex`, or to the neutral frame. `frames` is how many frames later the second is. Mean
#: and 95th percentile are over the pixels of the array. Motion is in pixels of the crop, and in eye
#: distances where that of the crop is known; strain is a ratio.
MOTION: Schema = {
    "sample": NAME,
    "database": NAME,
    "pair": NAME,
    "frames": INTEGER,
    "motion_mean": NUMBER,
    "motion_p95": NUMBER,
    "strain_mean": NUMBER,
    "strain_p95": NUMBER,
    "eye_motion_mean": NUMBER,
    "eye_motion_p95": NUMBER,
}


def size(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel (H, W) of a motion (H, W, 2) moves beyond the head.

    The motion of the head is taken to be the median of each direction over all pixels: most of a
    face is still in a micro-expression. Where the head turns, a part of its motion stays.
    """
    own = motion - np.median(motion, axis=(0, 1))
    return np.hypot(own[..., 0], own[..., 1])


def measured(
    array: NDArray[np.float32], measured_in: str, eye_distance: float | None
) -> Mapping[str, float | None]:
    """The numbers of `MOTION` for an array (H, W, 3) of `optical_flow.array`.

    Args:
        array: motion to the right and down, and strain.
        measured_in: what the motion is measured in: pixels or eye_distances.
        eye_distance: that of the crop in pixels; None if it is not known.
    """
    moved = _summary("motion", size(array[..., :2]))
    strain = _summary("strain", array[..., 2])
    if measured_in == "eye_distances":
        assert eye_distance is not None, "without it there is no array"
        moved = {key: value * eye_distance for key, value in moved.items()}
    of_eyes = {
        f"eye_{key}": None if eye_distance is None else value / eye_distance
        for key, value in moved.items()
    }
    return {**moved, **strain, **of_eyes}


def _summary(name: str, values: NDArray[np.float32]) -> dict[str, float]:
    return {
        f"{name}_mean": float(values.mean()),
        f"{name}_p95": float(np.percentile(values, 95)),
    }
