"""A stack of the onset and the apex crop: one example per sample, which shows the motion."""

from collections.abc import Sequence

import numpy as np

from fleeting.examples.apex import ApexInputSettings
from fleeting.examples.input import COLOURS, Crop, Example, Missing, Picture, Values
from fleeting.examples.phases import together


class Settings(ApexInputSettings):
    """Nothing to set besides the crop and the apex."""

    kind: str = "onset_apex"


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example with the name of the sample; missing (`phase_missing`) without both crops."""
    return together(crops, "onset", "apex")


def array(example: Example, pictures: Sequence[Picture], settings: Settings) -> Picture:
    """(H, W, 6) uint8: the channels of the onset, then those of the apex."""
    return np.concatenate(pictures, axis=2)


def values(settings: Settings) -> Values:
    """Six channels, such as `onset_red`."""
    channels = tuple(f"{phase}_{colour}" for phase in ("onset", "apex") for colour in COLOURS)
    return Values(channels, 0, 255)
