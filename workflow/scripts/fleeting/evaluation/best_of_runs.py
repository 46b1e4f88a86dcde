"""The score that could have been claimed by choosing the best of several runs for each subject.

Some published numbers come from the run, the epoch or the setting that did best on each test
subject. The runs of a grid tell what that adds: for N of them, each subject gets the run with the
most correct predictions of that subject, and what these runs predicted is pooled and scored.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleeting.evaluation.confusion import of_groups
from fleeting.evaluation.kept_apart import EXAMPLE, SUBJECT
from fleeting.evaluation.runs import Run
from fleeting.evaluation.schemas import BEST_OF_RUNS
from fleeting.evaluation.scores import CLASS_AVERAGES, indices

#: How many orders of the runs are averaged, at least.
ORDERS = 100
UnitCounts = NDArray[np.int32]


def unit_counts(predictions: pd.DataFrame, classes: Sequence[str], unit: str) -> UnitCounts:
    """The confusion matrix of each unit (U, K, K), the units sorted by name.

    Args:
        predictions: fold, example, label, predicted and person of each prediction.
        classes: the experiment's.
        unit: `subject` or `example`; an example that several folds test is several units.
    """
    columns = {SUBJECT: ["person"], EXAMPLE: ["fold", "example"]}[unit]
    group = predictions.groupby(columns, sort=True).ngroup().to_numpy()
    label, predicted = indices(predictions, classes)
    counts = of_groups(label, predicted, group, group.max() + 1, len(classes))
    return counts.astype(np.int32)


def best_so_far(counts: UnitCounts, order: NDArray[np.intp]) -> NDArray[np.int64]:
    """The pooled confusion matrix of every unit's best among the first 1, 2, ... candidates.

    The best has the most correct predictions of the unit; the earliest wins ties.

    Args:
        counts: of each candidate (a run, an epoch) and unit (R, U, K, K).
        order: the candidates from the first to the last, as places in R (N).

    Returns:
        (N, K, K).
    """
    right = np.trace(counts, axis1=2, axis2=3)[order]
    better = np.ones(right.shape, dtype=bool)
    better[1:] = right[1:] > np.maximum.accumulate(right)[:-1]
    best = np.maximum.accumulate(np.where(better, np.arange(len(order))[:, None], 0))
    # Only where a candidate is better does it replace another.
    place, unit = np.nonzero(better)
    gained = counts[order[place], unit].astype(np.int64)
    later = place > 0
    replaced = best[place[later] - 1, unit[later]]
    gained[later] -= counts[order[replaced], unit[later]]
    pooled = np.zeros((len(order), *counts.shape[2:]), dtype=np.int64)
    np.add.at(pooled, place, gained)
    return pooled.cumsum(axis=0)


def orders(count: int) -> Iterator[NDArray[np.intp]]:
    """At least `ORDERS` random orders of some runs; every run is equally often in every place.

    So the mean of what the first run of each scores is exactly the mean over all runs.
    """
    generator = np.random.default_rng(1)
    for _ in range(-(-ORDERS // count)):
        drawn = generator.permutation(count)
        for first in range(count):
            yield np.roll(drawn, -first)


def curves(counts: UnitCounts) -> dict[str, NDArray[np.float64]]:
    """Each metric of the best of 1 to R runs, the mean over `orders` (R).

    Args:
        counts: of each run and unit (R, U, K, K).
    """
    classes = np.flatnonzero(counts[0].sum(axis=(0, 2))).tolist()
    found = [
        [score(pooled, classes) for score in CLASS_AVERAGES.values()]
        for order in orders(len(counts))
        for pooled in [best_so_far(counts, order).astype(float)]
    ]
    return dict(zip(CLASS_AVERAGES, np.mean(found, axis=0), strict=True))


def best_of_table(runs: Sequence[Run], classes: Sequence[str], unit: str) -> pd.DataFrame:
    """UF1 and UAR of the best of 1 to all runs (`schemas.BEST_OF_RUNS`).

    Where each repeat has test examples of its own, the best is one of its runs, and the curves of
    the repeats are averaged.

    Args:
        runs: the runs that finished.
        classes: the experiment's.
        unit: see `kept_apart.unit_of`.
    """

    def tests(run: Run) -> int:
        return run.repeat if run.redrawn else 0

    found, units = [], []
    for _, own in groupby(sorted(runs, key=tests), key=tests):
        counts = [unit_counts(run.predictions, classes, unit) for run in own]
        found.append(curves(np.stack(counts)))
        units.append(len(counts[0]))
    most = min(len(one["uf1"]) for one in found)
    means = {name: np.mean([one[name][:most] for one in found], axis=0) for name in CLASS_AVERAGES}
    rows = {"unit": unit, "units": np.mean(units), "runs": range(1, most + 1), **means}
    return pd.DataFrame(rows, columns=list(BEST_OF_RUNS))
