"""Onset, apex and offset: the frames that the databases' tables name (section 3 of the paper)."""

from pydantic import Field

from fleeting.frames.neutral import NEUTRAL, neutral_frame
from fleeting.frames.wanted import Sample, Wanted, phases
from fleeting.settings import Variant
from fleeting.tsv import PHASES


class Settings(Variant):
    """Which frames are selected besides the phases."""

    kind: str = "phases"
    neutral: bool = Field(
        False,
        description="Also the frame after the onset, for the noise floor of motion. It has no "
        "phase. Where the apex or offset is that frame, there is none.",
    )


def label(settings: Settings) -> str:
    """The name of the folder in the results."""
    return "phases_neutral" if settings.neutral else "phases"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """The phases that the annotations kept, as an apex or offset may be missing, and what is asked.

    A neighbour of the neutral frame would be the onset, or less neutral: none stands in for it.
    """
    found = phases(sample, *PHASES)
    neutral = neutral_frame(sample) if settings.neutral else None
    if neutral is not None:
        found.append(Wanted(name=NEUTRAL, frame=neutral, exact=True))
    return found
