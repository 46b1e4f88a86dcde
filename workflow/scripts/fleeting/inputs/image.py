"""Each crop is an example: the paper's input (section 3 pools onset, apex and offset images)."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from fleeting.examples.input import Crop, Example, InputSettings, Missing, Picture, Values
from fleeting.examples.phases import Phases, distinct, each_of


class Settings(InputSettings):
    """Which crops are examples, and what their channels hold."""

    kind: str = "image"
    phases: Phases = Field(
        ("onset", "apex", "offset"),
        description='Section 3: "these images were from onset, apex, and offset frames only". '
        "Crops without a phase, such as ready pictures, are always used.",
    )
    channels: Annotated[tuple[str, str, str], AfterValidator(distinct)] = Field(
        ("red", "green", "blue"),
        description="What the files' red, green and blue hold. Pretrained weights expect colours.",
    )
    zero: float = Field(0, description="The stored value that stands for 0.")
    unit: float = Field(255, gt=0, description="How much above `zero` stands for 1.")


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example for each crop of a wanted phase, with the name of its image."""
    return each_of(crops, settings.phases)


def array(example: Example, pictures: Sequence[Picture], settings: Settings) -> Picture:
    """(H, W, 3) uint8: the picture itself."""
    (picture,) = pictures
    return picture


def values(settings: Settings) -> Values:
    """The channels as the settings name them."""
    return Values(settings.channels, settings.zero, settings.unit)
