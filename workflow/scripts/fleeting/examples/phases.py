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


def after_onset(crops: Sequence[Crop]) -> Crop | None:
    """The crop of the neutral frame: hardly a part of a movement has happened by then.

    It has no phase, and its frame is the one after the onset's and before those of the other
    phases: a later one, such as the first of those around an apex, may show most of the movement.
    None without one, or if the crop of the onset or of all other phases is missing.
    """
    # By the files' own numbers: the onset's neighbour may stand in for a missing onset.
    frames = {crop["phase"]: int(crop["frame"]) for crop in crops if crop["phase"]}
    onset = frames.pop("onset", None)
    if onset is None or not frames or onset + 1 >= min(frames.values()):
        return None
    number = str(onset + 1)
    return next((crop for crop in crops if not crop["phase"] and crop["frame"] == number), None)


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
