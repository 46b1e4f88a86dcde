"""The frame that differs most from onset and offset, and least from the frame before it.

After Quang, Chun and Tokuyama, CapsuleNet for Micro-Expression Recognition (FG 2019). For a frame
t with the grey values g_t, at each pixel

    (|g_t - g_onset| + 1) / (|g_t - g_before| + 1) + (|g_t - g_offset| + 1) / (|g_t - g_before| + 1)

where g_before is the frame before t; the apex has the highest mean over all pixels. The
publication takes the mean over ten squares around landmarks of brows, eyes, nose, mouth and chin;
here it is the whole crop, for no landmarks are known, and neither the onset nor the offset can be
the apex. Nothing is done about light, blinks and the head's motion, as there.
"""

from collections.abc import Sequence

import numpy as np

from fleeting.examples.apex import ApexSettings
from fleeting.examples.grey import grey
from fleeting.examples.input import Picture

#: A box that follows the face would add the detector's motion.
ONE_BOX = True


class Settings(ApexSettings):
    """Nothing to set besides what all share."""

    kind: str = "difference"


def apex(pictures: Sequence[Picture], frames: Sequence[int], settings: Settings) -> int:
    """The place of the frame with the highest measure, the first of equals."""
    greys = [grey(picture).astype(np.float32) for picture in pictures]
    onset, offset = greys[0], greys[-1]
    measures = []
    for before, own in zip(greys, greys[1:-1], strict=False):
        of_onset, of_offset, of_before = (
            np.abs(own - other) + 1 for other in (onset, offset, before)
        )
        measures.append(float(((of_onset + of_offset) / of_before).mean()))
    return 1 + int(np.argmax(measures))
