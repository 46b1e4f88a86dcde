"""What the synthetic databases hold: the `synthetic:` block of the config."""

from typing import Annotated, Literal

from pydantic import Field

from fleeting import settings as base

#: In the order in which they are added when `frames_per_clip` grows; see `fleeting.synthetic.plan`.
POSITIONS = ("onset", "apex", "offset", "rising", "falling", "before", "after")


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
    intensity: dict[
        Annotated[str, Field(pattern="^(onset|apex|offset)$")], Annotated[float, Field(ge=0, le=1)]
    ] = Field(
        {"onset": 0.4, "apex": 1.0, "offset": 0.6},
        min_length=3,
        description="The share of the full expression at each annotated frame.",
    )
    frames_per_clip: int = Field(
        len(POSITIONS),
        ge=3,
        le=len(POSITIONS),
        description="3 (only the annotated frames) to 7 (also before, between and after them).",
    )
    noise: float = Field(
        1.5, ge=0, le=255, description="Standard deviation of the cameras' noise in grey values."
    )
    provider_crops: tuple[Literal["casme", "casme2", "cas_me2"], ...] = Field(
        (), description="Databases whose frames are written as the provider's face crops."
    )
