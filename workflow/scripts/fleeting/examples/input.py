"""The interface of an input.

An input is a module in `fleeting/inputs/` with four names:

- `Settings`, an `InputSettings`: its keys in the config;
- `examples(crops, settings) -> (list[Example], list[Missing])`: the examples of one sample, and
  those that cannot be made, from its crops in the order of their phases (none if it has none);
- `array(example, pictures, settings) -> NDArray`: the array (..., C) of one example, from the
  pictures of its crops, in their order. All pictures have one shape (H, W, 3); the arrays of all
  examples must share a shape and a data type;
- `values(settings) -> Values`: what the arrays hold.

Two more are checked when the config is read: `ONE_BOX = True`, where the crops of a clip must share
a box, and `frames(settings) -> dict`, the keys that the block `frames` of its crop must have.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting import tsv
from fleeting.settings import Variant

#: A row of FACES.
Crop = Mapping[str, str]
#: (H, W, 3): red, green and blue.
Picture = NDArray[np.uint8]
COLOURS = ("red", "green", "blue")


class InputSettings(Variant):
    """The keys that all inputs share; an input's module adds its own."""

    crop: str = Field(description="The name of the block under `crops` that it is made of.")


@dataclass(frozen=True)
class Example:
    """An example: its unique name, its phase (empty if it has none) and the crops it is made of."""

    name: str
    phase: str
    crops: tuple[Crop, ...]


@dataclass(frozen=True)
class Missing:
    """An example that a sample should have but cannot: a code, and a detail for people."""

    code: str
    detail: str


@dataclass(frozen=True)
class Values:
    """What the arrays hold: the names of their channels; a stored v stands for (v - zero) / unit.

    The last axis of an array is its channels.
    """

    channels: tuple[str, ...]
    zero: float
    unit: float


def crops_by_sample(faces: Iterable[Path]) -> dict[str, list[Crop]]:
    """The crops of each sample, from tables of FACES: by phase, the others after them by frame."""
    found: dict[str, list[Crop]] = defaultdict(list)
    for table in faces:
        for crop in tsv.read_rows(table, tsv.FACES):
            found[crop["sample"]].append(crop)
    for crops in found.values():
        crops.sort(key=by_phase_and_frame)
    return found


def by_phase_and_frame(crop: Crop) -> tuple[int, int, str]:
    """What a sample's crops are sorted by."""
    return tsv.PHASE_ORDER[crop["phase"]], int(crop["frame"] or 0), crop["image"]
