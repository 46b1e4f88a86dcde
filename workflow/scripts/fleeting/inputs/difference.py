"""What changes in grey from the onset to the apex: the signed difference of the two crops."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.examples.apex import ApexInputSettings
from fleeting.examples.grey import grey
from fleeting.examples.input import Crop, Example, Missing, Picture, Values
from fleeting.examples.magnification import Magnification, magnified
from fleeting.examples.phases import together


class Settings(ApexInputSettings):
    """How the apex is found, and whether motions are magnified before crops are compared."""

    kind: str = "difference"
    magnify: Magnification | None = Field(
        None, description="Motions are magnified before crops are compared; null: they are not."
    )


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example with the name of the sample; missing (`phase_missing`) without both crops."""
    return together(crops, "onset", "apex")


def array(example: Example, pictures: Sequence[Picture], settings: Settings) -> NDArray[np.int16]:
    """(H, W, 1) int16, from -255 to 255: the apex minus the onset."""
    shown = magnified(pictures, settings.magnify)
    onset, apex = (grey(picture).astype(np.int16) for picture in shown)
    return (apex - onset)[..., None]


def values(settings: Settings) -> Values:
    """One signed channel from -1, white to black, to 1."""
    return Values(("difference",), 0, 255)
