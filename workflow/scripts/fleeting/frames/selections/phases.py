"""Onset, apex and offset: the frames that the databases' tables name (section 3 of the paper)."""

from fleeting.frames.wanted import Sample, Wanted, phases
from fleeting.settings import Variant
from fleeting.tsv import PHASES


class Settings(Variant):
    """Nothing to set."""

    kind: str = "phases"


def label(settings: Settings) -> str:
    """The name of the folder in the results."""
    return "phases"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """The phases that the annotations kept: an apex or offset may be missing."""
    return phases(sample, *PHASES)
