"""The difference of two experiments on the same test examples, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleeting.evaluation.confusion import Counts, true_counts
from fleeting.evaluation.intervals import (
    BOOTSTRAP,
    FEWEST,
    QUANTILES,
    RANGE,
    Resamples,
    Score,
    draw,
    effective_number,
)

Subject = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """The first experiment's score minus the second's, and both; see `intervals.Interval`."""

    first: float
    second: float
    low: float
    high: float
    kind: str
    subjects: int
    effective_subjects: float

    @property
    def mean(self) -> float:
        """The difference of the means over repeats."""
        return self.first - self.second


def counts_of(table: pd.DataFrame, subjects: Sequence[Subject], classes: Sequence[str]) -> Counts:
    """The confusion matrix of each repeat and subject (R, S, K, K).

    Args:
        table: the rows of one configuration in `schemas.SUBJECT_COUNTS`.
        subjects: (database, subject) of each place in S.
        classes: the class of each place in K.
    """
    repeats = sorted(set(table["repeat"]))
    places = [
        {name: place for place, name in enumerate(names)} for names in (repeats, subjects, classes)
    ]
    of_repeat, of_subject, of_class = places
    counts = np.zeros((len(repeats), len(subjects), len(classes), len(classes)))
    columns = ["repeat", "database", "subject", "label", "predicted", "count"]
    for repeat, database, subject, label, predicted, count in table[columns].itertuples(
        index=False, name=None
    ):
        place = of_repeat[repeat], of_subject[database, subject]
        counts[(*place, of_class[label], of_class[predicted])] += count
    return counts


def difference(first: Counts, second: Counts, databases: Sequence[str], score: Score) -> Difference:
    """The paired difference of a score: every resample has the same subjects of both experiments.

    Repeats are drawn for each experiment by itself: they have nothing in common.

    Args:
        first: (R, S, K, K), see `counts_of`.
        second: the same of the other experiment, whose number of repeats may differ.
        databases: the database of each subject (S).
        score: the metric.
    """
    sizes = true_counts(first, range(first.shape[-1])).sum(axis=(0, 2))
    present = np.flatnonzero(sizes)
    classes = np.flatnonzero(first.sum(axis=(0, 1, 3))).tolist()
    effective = effective_number(sizes)
    if effective < FEWEST:
        kind = RANGE
        one, other = (
            score(counts.sum(axis=1)[:, None] - counts[:, present], classes).mean(axis=0)
            for counts in (first, second)
        )
        alone = len(present) < 2
        low, high = (np.nan, np.nan) if alone else ((one - other).min(), (one - other).max())
    else:
        kind = BOOTSTRAP
        drawn = draw(databases, first.shape[0])
        others = Resamples(drawn.subjects, draw(databases, second.shape[0], seed=2).repeats)
        values = _resampled(first, drawn, score, classes)
        values -= _resampled(second, others, score, classes)
        low, high = np.quantile(values, QUANTILES)
    return Difference(
        first=float(score(first.sum(axis=1), classes).mean()),
        second=float(score(second.sum(axis=1), classes).mean()),
        low=float(low),
        high=float(high),
        kind=kind,
        subjects=len(present),
        effective_subjects=effective,
    )


def _resampled(
    counts: Counts, resamples: Resamples, score: Score, classes: Sequence[int]
) -> np.ndarray:
    pooled = np.tensordot(resamples.subjects, counts, axes=(1, 1))
    values = score(pooled, classes) * resamples.repeats
    summed: np.ndarray = values.sum(axis=1) / counts.shape[0]
    return summed
