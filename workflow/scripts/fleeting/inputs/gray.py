"""Each crop is an example, in grey: what is left of the paper's input without colour."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.examples.grey import grey
from fleeting.examples.input import Crop, Example, InputSettings, Missing, Picture, Values
from fleeting.examples.phases import Phases, each_of


class Settings(InputSettings):
    """Which crops are examples."""

    kind: str = "gray"
    phases: Phases = Field(
        ("onset", "apex", "offset"),
        description="Crops without a phase, such as ready pictures, are always used.",
    )


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example for each crop of a wanted phase, with the name of its image."""
    return each_of(crops, settings.phases)


def array(example: Example, pictures: Sequence[Picture], settings: Settings) -> NDArray[np.uint8]:
    """(H, W, 1) uint8: the picture's grey values."""
    (picture,) = pictures
    return grey(picture)[..., None]


def values(settings: Settings) -> Values:
    """One channel from black, 0, to white, 1."""
    return Values(("grey",), 0, 255)
