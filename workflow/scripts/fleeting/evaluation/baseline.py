"""The interface of a baseline: what a network has to beat.

A baseline is a module in `fleeting/evaluation/baselines/` with four names:

- `TITLE`: what it predicts, for reading;
- `LOOKS_AT`: what it is given: `labels`, the annotations alone (a null model); `examples`, the
  values of the examples too; `motion`, the same of an input that holds a motion
  (`fleeting.motion`), without which it is left out;
- `DRAWS`: whether its predictions are drawn at random: its scores are then means over ten draws,
  or over the repeats where each has a split of its own;
- `predict(fold) -> Sequence[str]`: the class of each test example of a `FoldData`.

A baseline learns from a fold's training examples alone: like a network, it is fitted neither to the
validation examples nor to anything of another fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fleeting.splits.gate import ArrayFormat

if TYPE_CHECKING:
    import pandas as pd

#: How many values of each example are converted at a time.
BLOCK = 16_384


class Examples:
    """The values of an experiment's examples, read when a baseline first asks for them."""

    def __init__(
        self, names: Sequence[str], load: Callable[[], NDArray[Any]], values: ArrayFormat
    ) -> None:
        """Read nothing yet.

        Args:
            names: of the examples (N).
            load: reads their arrays (N, ..., C).
            values: what these hold.
        """
        self.places = {name: place for place, name in enumerate(names)}
        self.values = values
        self._load = load

    @cached_property
    def stored(self) -> NDArray[Any]:
        """The arrays as they are stored, (N, ..., C)."""
        return self._load()

    def scaled(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """Stored values as the values that they stand for."""
        scaled: NDArray[np.float64] = (stored.astype(float) - self.values.zero) / self.values.unit
        return scaled

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """The examples as points (N, P) with the distances and inner products of their values.

        N examples span at most N dimensions. Where they have more values than that, the axes are
        turned so that N coordinates hold everything: a method that depends on distances or inner
        products alone, such as PCA, a linear classifier or nearest neighbours, finds the same, and
        a fold of large pictures takes no longer than one of small ones. Nothing is fitted: the
        points Z are such that Z Z' is the matrix of the values' inner products.
        """
        flat = self.stored.reshape(len(self.stored), -1)
        if flat.shape[1] <= len(flat):
            return self.scaled(flat)
        products = np.zeros((len(flat), len(flat)))
        for start in range(0, flat.shape[1], BLOCK):
            block = self.scaled(flat[:, start : start + BLOCK])
            products += block @ block.T
        squares, axes = np.linalg.eigh(products)
        turned: NDArray[np.float64] = axes * np.sqrt(squares.clip(min=0))
        return turned


@dataclass(frozen=True, eq=False)
class FoldData:
    """What a baseline is given of one fold.

    Attributes:
        classes: the experiment's classes, sorted.
        train: the training examples: example, sample, database, subject, person, recording, phase
            and label.
        test: the same of the test examples, but for their labels.
        examples: the values of all examples, for those that look at them.
        seed: 32 bits, for those that draw.
    """

    classes: tuple[str, ...]
    train: "pd.DataFrame"
    test: "pd.DataFrame"
    examples: Examples
    seed: int

    @property
    def train_places(self) -> list[int]:
        """The places of the training examples among all examples."""
        return [self.examples.places[name] for name in self.train["example"]]

    @property
    def test_places(self) -> list[int]:
        """The places of the test examples among all examples."""
        return [self.examples.places[name] for name in self.test["example"]]

    @property
    def train_points(self) -> NDArray[np.float64]:
        """The training examples as points, see `Examples.points`."""
        return self.examples.points[self.train_places]

    @property
    def test_points(self) -> NDArray[np.float64]:
        """The test examples as points, see `Examples.points`."""
        return self.examples.points[self.test_places]
