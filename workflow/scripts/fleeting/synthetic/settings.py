"""What the synthetic databases hold: the `synthetic:` block of the config."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting import settings as base

#: In the order in which they are added when `frames_per_clip` grows; see `fleeting.synthetic.plan`.
POSITIONS = ("onset", "apex", "offset", "rising", "falling", "before", "after", "second")


def _how_many(value: object) -> object:
    """Refuse anything but a number of frames and `all`, with one error for both."""
    if value in ("all", *range(3, len(POSITIONS) + 1)):
        return value
    raise PydanticCustomError(
        "frames", "{value} is not all, or a number from 3 to 8", {"value": repr(value)}
    )


class Disturbances(base.Settings):
    """What makes recordings harder to read than a nearly still head under even light.

    Default: nothing. Each has random generators of its own, so that none changes what another
    draws, with two exceptions: `frames_per_second` numbers frames differently, and in CAS(ME)^2 a
    clip to which a `class_by_...` gives another emotion has another name. What is drawn follows
    from both.
    """

    drift: float = Field(
        0,
        ge=0,
        le=100,
        description="How far the head moves from onset to offset, in pixels of a 640x480 frame; "
        "the direction is drawn for each clip.",
    )
    roll: float = Field(
        0,
        ge=0,
        le=45,
        description="How far the head turns in the plane of the picture from onset to offset, in "
        "degrees; the direction is drawn for each clip.",
    )
    flicker: float = Field(
        0,
        ge=0,
        lt=1,
        description="Each frame's light is between 1 - flicker and 1 + flicker of the usual.",
    )
    blinks: float = Field(
        0, ge=0, le=1, description="The probability that a clip has a blink, at a random moment."
    )
    one_sided: float = Field(
        0,
        ge=0,
        le=1,
        description="The share of the clips whose expression is on one side of the face only, but "
        "for the lips' pressing and the jaw.",
    )
    jpeg_quality: int = Field(92, ge=1, le=100, description="Of the frames' files.")
    frames_per_second: int | None = Field(
        None,
        ge=30,
        le=200,
        description="Of all cameras: a movement lasts as long, in more or fewer frames. null: each "
        "database's own.",
    )
    identity: float = Field(
        1,
        ge=0,
        le=2,
        description="How different people, their clothes and walls are: 0 all alike, 1 as usual, "
        "2 twice as far from the mean.",
    )
    class_by_database: float = Field(
        0,
        ge=0,
        le=1,
        description="The probability that a clip's emotion is one of those that its database has "
        "for its own, instead of one that all have; needs `emotions`.",
    )
    class_by_subject: float = Field(
        0,
        ge=0,
        le=1,
        description="The probability that a clip has its subject's own emotion; needs `emotions`.",
    )


class Settings(base.Settings):
    """Databases drawn in place of the real ones."""

    seed: int = Field(1, ge=0, lt=2**32, description="Everything that is drawn follows from it.")
    subjects: dict[str, Annotated[int, Field(ge=1, le=999)]] = Field(
        {"casme": 5, "casme2": 6, "cas_me2": 5, "samm": 4},
        description="The number of subjects of each database.",
    )
    clips_per_subject: int = Field(
        6,
        ge=1,
        le=1000,
        description="Clips of each subject, besides a few rows with the errors of real copies.",
    )
    emotions: Annotated[tuple[str, ...], Field(min_length=2)] | None = Field(
        None,
        description="The emotions of every database, each equally frequent over every twelve "
        "subjects of it. null: "
        "those of the real databases, about as often.",
    )
    intensity: dict[
        Annotated[str, Field(pattern="^(onset|apex|offset)$")], Annotated[float, Field(ge=0, le=1)]
    ] = Field(
        {"onset": 0.4, "apex": 1.0, "offset": 0.6},
        min_length=3,
        description="The share of the full expression at each annotated frame.",
    )
    frames_per_clip: Annotated[int | Literal["all"], BeforeValidator(_how_many)] = Field(
        7,
        description="3 (only the annotated frames) to 7 (also before, between and after them), 8 "
        "(also the one right after the onset), or all: every frame from onset to offset.",
    )
    noise: float = Field(
        1.5, ge=0, le=255, description="Standard deviation of the cameras' noise in grey values."
    )
    provider_crops: tuple[Literal["casme", "casme2", "cas_me2"], ...] = Field(
        (), description="Databases whose frames are written as the provider's face crops."
    )
    disturbances: Disturbances = Field(
        {}, validate_default=True, description="What makes the recordings harder to read."
    )

    @model_validator(mode="after")
    def _own_classes_need_emotions(self) -> Self:
        own = self.disturbances.class_by_database or self.disturbances.class_by_subject
        if own and self.emotions is None:
            raise PydanticCustomError(
                "emotions",
                "class_by_database and class_by_subject need `emotions`: name those that every "
                "database has",
            )
        return self
