"""Frames from onset to offset for a sequence: those before and after moments evenly spaced in time.

An input interpolates the moments between them.
"""

from math import ceil, floor

from pydantic import Field

from fleeting.frames.moments import DEFAULT_COUNT, Count, evenly_spaced
from fleeting.frames.wanted import Sample, Wanted, phases, without_phase
from fleeting.settings import Variant

#: It has no apex, which may lie between the moments.
PHASES = ("onset", "offset")


class Settings(Variant):
    """The keys of `frames: {kind: even}`."""

    kind: str = "even"
    count: Count = Field(
        DEFAULT_COUNT, description="How many moments, onset and offset among them."
    )


def label(settings: Settings) -> str:
    """The name of the folder in the results, such as `even_10`."""
    return f"even_{settings.count}"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """Onset and offset, and the two frames that each moment lies between, without a phase.

    Of a sample without an offset only the onset: the input then says what it lacks.
    """
    ends = phases(sample, "onset", "offset")
    if not sample["offset"]:
        return ends
    first, last = int(sample["onset"]), int(sample["offset"])
    moments = evenly_spaced(first, last, settings.count)
    around = {side(moment) for moment in moments for side in (floor, ceil)}
    return ends + without_phase(around - {first, last})
