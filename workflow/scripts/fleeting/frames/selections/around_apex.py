"""Onset, apex and offset, and frames before and after the apex, which show nearly the same.

What differs between them is mostly noise: an input may average over them.
"""

from pydantic import Field

from fleeting.frames.wanted import Sample, Wanted, phases, without_phase
from fleeting.settings import Variant
from fleeting.tsv import PHASES


class Settings(Variant):
    """The keys of `frames: {kind: around_apex}`."""

    kind: str = "around_apex"
    reach: int = Field(2, ge=1, le=32, description="How many frames on each side of the apex.")
    step: int = Field(
        1, ge=1, le=100, description="From one to the next, in frames; more for faster cameras."
    )


def label(settings: Settings) -> str:
    """The name of the folder in the results, such as `around_apex_2_1`."""
    return f"around_apex_{settings.reach}_{settings.step}"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """The phases, and the frames around the apex between onset and offset, without a phase.

    Without an offset, those up to the apex: what follows may belong to the next movement. Of a
    sample without an apex there are none.
    """
    named = phases(sample, *PHASES)
    if not sample["apex"]:
        return named
    onset, apex = int(sample["onset"]), int(sample["apex"])
    last = int(sample["offset"] or apex)
    distance = settings.reach * settings.step
    around = range(apex - distance, apex + distance + 1, settings.step)
    inside = {number for number in around if onset < number < last}
    return named + without_phase(inside - {apex})
