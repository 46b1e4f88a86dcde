"""The interface of a selection, and an image that it asks for, by frame number or by path."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleeting.settings import Variant

#: A row of ANNOTATIONS, with the further columns of its database.
Sample = Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """An image that a sample should have.

    Attributes:
        name: the last part of the image's name; unique within the sample.
        phase: onset, apex or offset; empty where the image belongs to no single phase.
        frame: the number of the frame, which is searched in the folders of the sample's clip. None
            where `path` names the file.
        path: relative to the folder of the database's frames; empty where the table names no file.
        exact: whether no neighbour may stand in for a missing frame.
    """

    name: str
    phase: str = ""
    frame: int | None = None
    path: str = ""
    exact: bool = False


class Selection(Protocol):
    """The names that a module of `fleeting.frames.selections` defines."""

    #: The keys of its block in the config.
    Settings: type[Variant]

    def label(self, settings: Any) -> str:
        """The name of its folder in the results; settings that select other images get another."""
        ...

    def wanted(self, sample: Sample, settings: Any) -> Sequence[Wanted]:
        """The images of one sample, in the order of the table; none where it has none."""
        ...


def phases(sample: Sample, *names: str) -> list[Wanted]:
    """The frames of these phases, of those that the sample has."""
    return [
        Wanted(name=phase, phase=phase, frame=int(sample[phase]))
        for phase in names
        if sample[phase]
    ]


def without_phase(numbers: Iterable[int]) -> list[Wanted]:
    """Frames that belong to no single phase, by number."""
    return [Wanted(name=f"frame{number}", frame=number) for number in sorted(numbers)]
