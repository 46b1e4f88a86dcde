"""What an input offers: how a sample's crops become examples, and what their values mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.settings import Variant

#: A row of FACES.
Crop = Mapping[str, str]
#: (H, W, 3): red, green and blue.
Picture = NDArray[np.uint8]


class InputSettings(Variant):
    """The keys that all inputs share; an input's module adds its own."""

    crop: str = Field(description="The name of the block under `crops` that it is made of.")


@dataclass(frozen=True)
class Example:
    """An example: its unique name, its phase (empty if it has none) and the crops it is made of."""

    name: str
    phase: str
    images: tuple[Crop, ...]


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


class Input(Protocol):
    """The names that a module of `fleeting.inputs` defines."""

    #: The keys of its block in the config.
    Settings: type[InputSettings]

    def examples(self, crops: Sequence[Crop], settings: Any) -> tuple[list[Example], list[Missing]]:
        """The examples of one sample, and those that cannot be made.

        Args:
            crops: the sample's crops in the order of their phases; none if it has none.
            settings: the input's block of the config.
        """
        ...

    def array(self, pictures: Sequence[Picture], settings: Any) -> NDArray:
        """The array (..., C) of one example, from its pictures in the order of `Example.images`.

        All pictures have the same shape (H, W, 3). The arrays of all examples must share a shape
        and a data type.
        """
        ...

    def values(self, settings: Any) -> Values:
        """What the arrays hold."""
        ...
