"""The clip itself: every frame from onset to offset, or every few, and all annotated ones.

A clip without an offset ends with its apex.
"""

from pydantic import Field

from fleeting.frames.wanted import Sample, Wanted, phases, without_phase
from fleeting.settings import Variant
from fleeting.tsv import PHASES

#: There are frames between those that are annotated: an apex can be searched for in them.
BETWEEN_PHASES = True


class Settings(Variant):
    """How many of the frames."""

    kind: str = "clip"
    step: int = Field(
        1, ge=1, le=1000, description="Every step-th frame, from the onset on; 1: all."
    )


def label(settings: Settings) -> str:
    """The name of the folder in the results, such as `clip` or `clip_2`."""
    return "clip" if settings.step == 1 else f"clip_{settings.step}"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """The phases, and the frames from the onset to the last of them, without a phase."""
    named = phases(sample, *PHASES)
    numbers = {int(sample[image.phase]) for image in named}
    between = range(int(sample["onset"]), max(numbers) + 1, settings.step)
    return named + without_phase(set(between) - numbers)
