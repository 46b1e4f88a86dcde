"""How well the subject and the database of an example are recognised from its values alone.

A network that is trained on some examples of a subject can do the same, and then the subject's most
frequent label stands in for the expression. It is measured by the nearest neighbour of an example:
without its own recording for the subject, without its own subject for the database.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.evaluation.schemas import IDENTITY
from fleeting.examples import arrays
from fleeting.splits.protocol import group_names

#: What is recognised, and the group that its neighbours are never taken from.
LEFT_OUT = {"subject": "clip", "database": "subject"}
#: The most values along each side of an example: the mean of a block stands for its values.
SIDE = 32
#: How many examples are read at a time.
BATCH = 500


def run(*, split: Path, examples: list[Path], output: Path) -> None:
    """Find the nearest neighbours of an experiment's examples.

    Args:
        split: split.tsv; all of its examples count, whatever their roles.
        examples: the tables of the input's examples, each with its arrays (.npy) beside it.
        output: receives a row for the subject and one for the database (`schemas.IDENTITY`).
    """
    used = tsv.read(split, tsv.SPLIT).drop_duplicates("example")
    tsv.write(identity_table(used, values_of(examples, list(used["example"]))), output, IDENTITY)


def values_of(tables: Sequence[Path], names: Sequence[str]) -> NDArray[np.float64]:
    """The values of examples (N, D), shrunk to at most `SIDE` along each of their sides."""
    parts = [
        shrunk(arrays.load(tables, names[start : start + BATCH]))
        for start in range(0, len(names), BATCH)
    ]
    return np.concatenate([part.reshape(len(part), -1) for part in parts])


def shrunk(stored: NDArray[np.generic]) -> NDArray[np.float64]:
    """Arrays (N, ..., channels) with the means of blocks in place of the values in these."""
    found = stored.astype(np.float64)
    for axis in range(1, stored.ndim - 1):
        side = stored.shape[axis]
        starts = np.arange(min(side, SIDE)) * side // min(side, SIDE)
        sizes = np.diff([*starts, side])
        found = np.add.reduceat(found, starts, axis=axis)
        found /= sizes.reshape([-1 if place == axis else 1 for place in range(stored.ndim)])
    return found


def identity_table(examples: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """The share of examples whose nearest neighbour is of the same subject, or database.

    The subject is recognised in those that have several recordings, among the examples of these.
    Chance is the share of an example's possible neighbours that are of the same subject (or
    database), the mean over examples. Both are NaN where there are no two subjects (databases).

    Args:
        examples: their database, person and recording (N).
        values: as `values_of` returns them (N, D).
    """
    recordings = examples.groupby("person")["recording"].transform("nunique").to_numpy()
    kept_of = {"subject": recordings > 1, "database": np.ones(len(examples), dtype=bool)}
    rows = []
    for target, left_out in LEFT_OUT.items():
        kept, names = kept_of[target], (target, left_out)
        own, out = (pd.factorize(group_names(examples, name))[0][kept] for name in names)
        groups = len(set(own))
        right, chance = _recognised(values[kept], own, out) if groups > 1 else (np.nan, np.nan)
        rows.append((target, right, chance, groups, len(own)))
    return pd.DataFrame(rows, columns=list(IDENTITY))


def _recognised(
    values: NDArray[np.float64], own: NDArray[np.intp], left_out: NDArray[np.intp]
) -> tuple[float, float]:
    """How often the nearest neighbour is of the same group, and how often a random one would be.

    Args:
        values: of the examples (N, D).
        own: the group of each (N).
        left_out: what each is in (N); others in it are not among its possible neighbours.
    """
    from sklearn.metrics import pairwise_distances_chunked

    right, chance, start = 0, 0.0, 0
    for distances in pairwise_distances_chunked(values):
        rows = slice(start, start + len(distances))
        possible = left_out[rows, None] != left_out
        same = own[rows, None] == own
        nearest = np.where(possible, distances, np.inf).argmin(axis=1)
        right += int(same[np.arange(len(nearest)), nearest].sum())
        chance += float(((same & possible).sum(axis=1) / possible.sum(axis=1)).sum())
        start = rows.stop
    return right / len(own), chance / len(own)
