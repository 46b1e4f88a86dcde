"""The examples of a run on its device, and room for those that a fold is fitted on."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fleeting.splits.gate import Arrays
from fleeting.splits.roles import Side


class Store:
    """All examples of a run's folds, loaded once.

    Attributes:
        arrays: (N, ..., C) as stored, on the device; pictures are (N, H, W, C).
        places: the position of each example by its name.
    """

    def __init__(self, names: Sequence[str], arrays: NDArray[np.generic], device: torch.device):
        """Take the examples' arrays in the order of their names."""
        self.arrays = torch.from_numpy(arrays).to(device)
        self.places = {name: place for place, name in enumerate(names)}

    def rows(self, side: Side) -> torch.Tensor:
        """The positions of one side of a fold, on the device."""
        places = [self.places[name] for name in side.examples]
        return torch.tensor(places, dtype=torch.int64).to(self.arrays.device)

    def values(self, side: Side) -> torch.Tensor:
        """One side's examples as stored, (N, C, ...) with the channels last in memory; a copy."""
        return self.arrays[self.rows(side)].movedim(-1, 1)


class Examples:
    """The training or the validation examples of the fold that is being fitted.

    Their memory is as large as the largest fold needs and stays where it is, so that recorded
    steps read the next fold's examples from the same place.

    Attributes:
        values: (capacity, C, ...) as stored, the channels last in memory; zero behind `count`.
        labels: (capacity,) int64, positions in the list of classes.
        count: how many examples there are now.
    """

    def __init__(self, capacity: int, store: Store) -> None:
        """Make room for `capacity` examples of a store."""
        arrays = store.arrays
        shape = (capacity, *arrays.shape[1:])
        self._memory = torch.zeros(shape, dtype=arrays.dtype, device=arrays.device)
        self.values = self._memory.movedim(-1, 1)
        self.labels = torch.zeros(capacity, dtype=torch.int64, device=arrays.device)
        self.count = 0

    def fill(self, store: Store, side: Side, classes: Sequence[str]) -> None:
        """Copy one side of a fold here; nothing of the fold before it stays."""
        self.count = len(side.examples)
        torch.index_select(store.arrays, 0, store.rows(side), out=self._memory[: self.count])
        self._memory[self.count :].zero_()
        positions = {label: position for position, label in enumerate(classes)}
        labels = torch.tensor([positions[label] for label in side.labels], dtype=torch.int64)
        self.labels[: self.count].copy_(labels)
        self.labels[self.count :].zero_()


def scaled(stored: torch.Tensor, arrays: Arrays) -> torch.Tensor:
    """Stored values as the float32 values that they stand for, (stored - zero) / unit."""
    values = stored.float()
    return (values - arrays.zero if arrays.zero else values) / arrays.unit
