"""The examples of a job on its device, and the buffers from which a fold is fitted."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat


class JobExamples:
    """All examples of a job's folds, loaded once.

    Attributes:
        arrays: (N, ..., C) as stored, on the device; pictures are (N, H, W, C).
        positions: the position of each example by its name.
    """

    def __init__(self, names: Sequence[str], arrays: NDArray[np.generic], device: torch.device):
        """Take the examples' arrays in the order of their names."""
        self.arrays = torch.from_numpy(arrays).to(device)
        self.positions = {name: position for position, name in enumerate(names)}

    def indices(self, subset: Subset) -> torch.Tensor:
        """The positions of a subset, on the device."""
        positions = [self.positions[name] for name in subset.examples]
        return torch.tensor(positions, dtype=torch.int64).to(self.arrays.device)

    def values(self, subset: Subset) -> torch.Tensor:
        """A copy of a subset as stored, (N, C, ...) with the channels last in memory."""
        return self.arrays[self.indices(subset)].movedim(-1, 1)


class RoleBuffer:
    """The training or the validation examples of the fold that is being fitted.

    The memory is as large as the largest fold needs and stays where it is, so that recorded steps
    read the next fold's examples from the same place.

    Attributes:
        values: (capacity, C, ...) as stored, the channels last in memory; zero from `count` on.
        labels: (capacity,) int64, positions in the list of classes.
        units: (capacity, U + 1) float32 targets of action units, see `ActionUnits.targets`; None:
            they are not learnt.
        count: how many examples there are now.
    """

    def __init__(self, capacity: int, examples: JobExamples, units: int = 0) -> None:
        """Make room for `capacity` of a job's examples, and for their targets of U `units`."""
        arrays = examples.arrays
        self._arrays = arrays.new_zeros((capacity, *arrays.shape[1:]))
        self.values = self._arrays.movedim(-1, 1)
        self.labels = torch.zeros(capacity, dtype=torch.int64, device=arrays.device)
        self.units = torch.zeros(capacity, units + 1, device=arrays.device) if units else None
        self.count = 0

    def fill(
        self,
        examples: JobExamples,
        subset: Subset,
        classes: Sequence[str],
        units: NDArray[np.float32] | None = None,
    ) -> None:
        """Copy a subset here, with its targets of action units; nothing of the last fold stays."""
        self.count = len(subset.examples)
        indices = examples.indices(subset)
        torch.index_select(examples.arrays, 0, indices, out=self._arrays[: self.count])
        self._arrays[self.count :].zero_()
        positions = {label: position for position, label in enumerate(classes)}
        labels = torch.tensor([positions[label] for label in subset.labels], dtype=torch.int64)
        self.labels[: self.count].copy_(labels)
        self.labels[self.count :].zero_()
        if self.units is not None and units is not None:
            self.units[: self.count].copy_(torch.from_numpy(units))
            self.units[self.count :].zero_()


def scaled(stored: torch.Tensor, arrays: ArrayFormat) -> torch.Tensor:
    """Stored values as the float32 values that they stand for, (stored - zero) / unit."""
    values = stored.float()
    return (values - arrays.zero if arrays.zero else values) / arrays.unit
