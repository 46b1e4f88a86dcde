"""Which crops of a sample make an example: each of some phases, or two of them together."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from fleeting.examples.input import Crop, Example, Missing

Phase = Literal["onset", "apex", "offset"]


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a tuple that names something twice."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "name each one once")
    return values


Phases = Annotated[tuple[Phase, ...], Field(min_length=1), AfterValidator(distinct)]


def each_of(crops: Sequence[Crop], phases: Sequence[Phase]) -> tuple[list[Example], list[Missing]]:
    """One example for each crop of a wanted phase, and for each ready picture, with its name.

    A ready picture has no frame number; a frame without a phase is no example. A wanted phase
    without a crop is not missing here: an earlier stage has excluded it.
    """
    return [
        Example(crop["image"], crop["phase"], (crop,))
        for crop in crops
        if crop["phase"] in phases or not crop["frame"]
    ], []


def together(crops: Sequence[Crop], *phases: Phase) -> tuple[list[Example], list[Missing]]:
    """One example of a sample's crops of these phases, in their order, with the sample's name.

    Missing with the code `phase_missing` if a crop of one of them is.
    """
    by_phase = {crop["phase"]: crop for crop in crops}
    lacking = [phase for phase in phases if phase not in by_phase]
    if lacking:
        return [], [Missing("phase_missing", f"no {' and no '.join(lacking)} crop")]
    used = tuple(by_phase[phase] for phase in phases)
    return [Example(used[0]["sample"], "", used)], []
