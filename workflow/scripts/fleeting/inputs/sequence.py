"""A movement as a sequence: crops at moments evenly spaced in time, or the motion until each.

A moment between two frames is interpolated linearly between their crops, so that clips of any
length give sequences of one length.
"""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting.examples import optical_flow
from fleeting.examples.input import COLOURS, Crop, Example, Missing, Picture, Values
from fleeting.examples.magnification import magnified
from fleeting.examples.phases import together
from fleeting.frames.moments import DEFAULT_COUNT, Count, evenly_spaced

#: A box that follows the face would hide its motion, and blur what is interpolated.
ONE_BOX = True


class Settings(optical_flow.FlowSettings):
    """Those of every flow, of which `size`, `unit` and `measured_in` are of flows alone."""

    kind: str = "sequence"
    count: Count = Field(DEFAULT_COUNT, description="How many moments from onset to offset.")
    of: Literal["crops", "flow"] = Field(
        "crops",
        description="crops: the picture at each moment; flow: the motion from the first moment to "
        "each later one.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        of_flow = (self.size, self.unit, self.measured_in)
        if self.of == "crops" and of_flow != (None, None, "pixels"):
            raise PydanticCustomError(
                "of", "size, unit and measured_in are of flows: remove them, or set `of: flow`"
            )
        return self


def frames(settings: Settings) -> dict[str, object]:
    """The selection of the frames that the moments lie between."""
    return {"kind": "even", "count": settings.count}


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example with the name of the sample, of the crops that its moments lie between.

    Missing without onset or offset (`phase_missing`), or where a moment has no crop near it
    (`moment_missing`): less than a frame away or, since a neighbour may stand in for a missing
    frame, less than half of the way to the next moment. If only one of its two frames is missing,
    the moment lies between the other one and the next crop beyond.
    """
    pairs, missing = together(crops, "onset", "offset")
    if missing:
        return [], missing
    (pair,) = pairs
    # Of two crops of one frame, the one that comes first, which has a phase if one of them has.
    by_frame = {int(crop["frame"]): crop for crop in reversed(crops) if crop["frame"]}
    numbers = sorted(by_frame)
    first, last = (int(crop["frame"]) for crop in pair.crops)
    near = max(Fraction(1), Fraction(last - first, 2 * (settings.count - 1)))
    used: set[int] = set()
    for position, moment in enumerate(evenly_spaced(first, last, settings.count), start=1):
        sides = _sides(numbers, moment)
        if all(abs(number - moment) >= near for number in sides):
            detail = (
                f"moment {position} of {settings.count}, at frame {float(moment):.1f}, lies "
                f"between the crops of frames {sides[0]} and {sides[1]}"
            )
            return [], [Missing("moment_missing", detail)]
        used.update(sides)
    return [Example(pair.name, pair.phase, tuple(by_frame[number] for number in sorted(used)))], []


def array(
    example: Example, pictures: Sequence[Picture], settings: Settings
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """(H, W, 3 count) uint8 of crops, (H, W, 3 (count - 1)) float32 of flow.

    What is magnified are the interpolated crops, since frames are not evenly spaced in time.
    """
    numbers = [int(crop["frame"]) for crop in example.crops]
    shown = magnified(interpolated(pictures, numbers, settings.count), settings.magnify)
    if settings.of == "crops":
        return np.concatenate(shown, axis=2)
    first, *later = shown
    return np.dstack(
        [optical_flow.motion(example, first, [picture], settings) for picture in later]
    )


def interpolated(pictures: Sequence[Picture], numbers: list[int], count: int) -> list[Picture]:
    """The crops at `count` moments, from those of frames with these numbers, in their order."""
    at = dict(zip(numbers, pictures, strict=True))
    found = []
    for moment in evenly_spaced(numbers[0], numbers[-1], count):
        before, after = _sides(numbers, moment)
        weight = float((moment - before) / (after - before)) if after > before else 0.0
        mixed = (1 - weight) * at[before].astype(np.float32) + weight * at[after]
        found.append(np.rint(mixed).astype(np.uint8))
    return found


def values(settings: Settings) -> Values:
    """Channels such as `frame1_red`, or `frame2_horizontal`: of the moments, counted from 1."""
    if settings.of == "crops":
        names = [f"frame{n}_{name}" for n in range(1, settings.count + 1) for name in COLOURS]
        return Values(tuple(names), 0, 255)
    of_flow = optical_flow.values(settings)
    names = [f"frame{n}_{name}" for n in range(2, settings.count + 1) for name in of_flow.channels]
    return Values(tuple(names), of_flow.zero, of_flow.unit)


def _sides(numbers: list[int], moment: Fraction) -> tuple[int, int]:
    """The nearest of sorted numbers at or before a moment, and at or after it."""
    place = bisect_left(numbers, moment)
    after = numbers[place]
    return (after, after) if after == moment else (numbers[place - 1], after)
