"""The interface of a protocol.

A protocol is a module in `fleeting/protocols/` with three names:

- `Settings`, a `fleeting.settings.Variant`: its keys in the config;
- `folds(settings) -> int | None`: the number of folds, None where it follows from the data or from
  the repeats;
- `split(examples, classes, settings, repeats) -> Draw`: `examples` is a DataFrame sorted by
  `example`, with the columns of `tsv.EXAMPLES`, `clip`, `recording`, `person`, `emotion` and
  `label`; `classes` are the labels that it holds, in the order of the label map; `repeats` is the
  number of repeats, which matters to settings with `redraw` alone.

As with scikit-learn's splitters, examples are named by their positions in that DataFrame.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Positions = NDArray[np.intp]

ROLES = ("train", "validation", "test")
#: What a protocol may keep apart, and the column that names it in the examples and in split.tsv.
GROUPS = {"subject": "person", "clip": "recording", "database": "database"}


@dataclass(frozen=True)
class Fold:
    """The examples that train, validate and test in one fold.

    Attributes:
        name: unique among the folds of the protocol; the fold's seed follows from it.
        train: positions of the training examples, in any order, as in the other two.
        validation: positions of the validation examples.
        test: positions of the test examples.
        repeat: the repeat that the fold is for; None: all of them.
    """

    name: str
    train: Positions
    validation: Positions
    test: Positions
    repeat: int | None = None

    @property
    def by_role(self) -> dict[str, Positions]:
        """The positions by role, in the order of `ROLES`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class Draw:
    """The outcome of a protocol.

    Attributes:
        folds: numbered from 1 in this order. An example may be in many of them.
        unused: why examples are in no fold: a code, for code to decide by, and a reason for people.
        notes: sentences about what fell short.
        apart: a key of `GROUPS`, where the protocol promises that none of these groups has two
            roles in a fold; the promise is checked on the split, and again on the predictions.
            None: it promises nothing.
    """

    folds: Sequence[Fold]
    unused: tuple[str, str] = ("not_drawn", "not drawn by the protocol")
    notes: Sequence[str] = ()
    apart: str | None = None


def group_names(examples: "pd.DataFrame", group: str) -> NDArray[np.object_]:
    """The group of each example, for example `casme2/sub01`; `group` is a key of `GROUPS`."""
    names: NDArray[np.object_] = examples[GROUPS[group]].to_numpy(dtype=object)
    return names


def derived_seed(seed: int, name: str) -> int:
    """A seed of 64 bits for one class or fold, so that others cannot change what it draws."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
