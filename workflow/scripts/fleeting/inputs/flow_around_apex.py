"""The motion from the onset to frames around the apex, on average: optical flow, and its strain.

The noise of single frames is averaged out; the movement, which is nearly the same in them, stays.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.examples import optical_flow
from fleeting.examples.input import Crop, Example, Missing, Picture
from fleeting.examples.magnification import magnified
from fleeting.examples.phases import Phase, together

#: A box that follows the face would hide its motion, and add that of the detector.
ONE_BOX = True
BETWEEN: tuple[Phase, Phase] = ("onset", "apex")

values = optical_flow.values


class Settings(optical_flow.FlowSettings):
    """Those of every flow."""

    kind: str = "flow_around_apex"


def frames(settings: Settings) -> dict[str, object]:
    """The selection of the frames; its other keys are free."""
    return {"kind": "around_apex"}


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example with the name of the sample; missing (`phase_missing`) without onset or apex.

    Of the frames around the apex those are used that there are: an earlier stage has excluded the
    others. Some clips are too short to have any.
    """
    pairs, missing = together(crops, *BETWEEN)
    if missing:
        return [], missing
    (pair,) = pairs
    onset, apex = pair.crops
    # Where a neighbour stands in for a missing frame, a frame may be there twice.
    by_frame = {int(crop["frame"]): crop for crop in crops if crop["frame"] and not crop["phase"]}
    by_frame[int(apex["frame"])] = apex
    after = [by_frame[number] for number in sorted(by_frame) if number > int(onset["frame"])]
    return [Example(pair.name, pair.phase, (onset, *(after or [apex])))], []


def array(example: Example, pictures: Sequence[Picture], settings: Settings) -> NDArray[np.float32]:
    """(H, W, 3) float32, or of `size`: the mean flow, and the strain of that mean."""
    onset, *others = pictures
    afters = [magnified([onset, other], settings.magnify)[1] for other in others]
    return optical_flow.motion(example, onset, afters, settings)
