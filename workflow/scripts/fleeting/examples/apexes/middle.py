"""The frame in the middle of the clip: what every other method has to beat."""

from collections.abc import Sequence

from fleeting.examples.apex import ApexSettings
from fleeting.examples.apex import middle as middle_place
from fleeting.examples.input import Picture


class Settings(ApexSettings):
    """Nothing to set besides what all share."""

    kind: str = "middle"


def apex(pictures: Sequence[Picture], frames: Sequence[int], settings: Settings) -> int:
    """The place of the frame nearest to the middle, by its number; the pictures do not matter."""
    return middle_place(frames)
