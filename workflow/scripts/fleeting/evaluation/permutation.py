"""Permutation tests: how often a score or a difference is as large where nothing is behind it.

In both tests subjects are units, since the clips of one subject are alike, and the trained models
are held fixed: nothing is trained again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import Counts
from fleeting.evaluation.intervals import Score

#: How many permutations a test draws; the smallest p-value is one over one more.
PERMUTATIONS = 1999
#: Scores that differ by less are equal: the order of a sum decides no p-value.
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Permuted:
    """What a score would be without a relation of labels and predictions.

    Attributes:
        mean: over the permutations; not one over the number of classes where the labels and the
            predictions both follow the database.
        p: the one-sided p-value of the score.
    """

    mean: float
    p: float


def p_value(permuted: NDArray[np.float64], observed: float) -> float:
    """(1 + how many permutations reach the observed value) / (1 + how many there are).

    The data themselves are one of the permutations, so that no p-value is 0 (Phipson and Smyth,
    Permutation p-values should never be zero, 2010).
    """
    return float((1 + (permuted >= observed - TOLERANCE).sum()) / (1 + len(permuted)))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family, adjusted by Holm's step-down procedure (1979), in their order.

    NaN stands for a test that could not be made: it is not of the family, and stays.
    """
    values = np.asarray(p_values, dtype=float)
    adjusted = np.full_like(values, np.nan)
    order = np.argsort(values, kind="stable")[: np.isfinite(values).sum()]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return adjusted.tolist()


def exchanges(subjects: int, seed: int = 1, count: int = PERMUTATIONS) -> NDArray[np.float64]:
    """The subjects whose predictions two models exchange, as 1 and 0 (P, S).

    All 2^S - 1 non-empty sets of subjects where these are at most `count`, otherwise `count` random
    ones.
    """
    if 2**subjects - 1 <= count:
        numbers = np.arange(1, 2**subjects)[:, None]
        return (numbers >> np.arange(subjects) & 1).astype(float)
    generator = np.random.default_rng(seed)
    return generator.integers(0, 2, (count, subjects)).astype(float)


def exchange_p_value(
    first: Counts,
    second: Counts,
    score: Score,
    classes: Sequence[int],
    exchanged: NDArray[np.float64],
) -> float:
    """The two-sided p-value of the difference of two models on the same test examples.

    If the models are alike, each subject's predictions might as well be the other model's. Both
    exchange all predictions of a subject, in all repeats together.

    Args:
        first: the confusion matrix of each repeat and subject (R, S, K, K).
        second: the same of the other model, for the same repeats.
        score: the metric.
        classes: those that count.
        exchanged: from `exchanges` (P, S).
    """
    one, other = first.sum(axis=1), second.sum(axis=1)
    # Counts are whole numbers, so that this is exact.
    moved = np.tensordot(exchanged, second - first, axes=(1, 1))
    permuted = _mean(score, one + moved, classes) - _mean(score, other - moved, classes)
    observed = float(_mean(score, one, classes) - _mean(score, other, classes))
    return p_value(np.abs(permuted), abs(observed))


def permuted_labels(
    label: NDArray[np.int64],
    subject: NDArray[np.int64],
    database: NDArray[np.int64],
    seed: int = 1,
    count: int = PERMUTATIONS,
) -> NDArray[np.int64] | None:
    """Labels permuted over the subjects of each database, their blocks kept (P, N).

    The subjects are shuffled, their labels put one after the other, and laid over the examples in
    another order of the subjects. So a database keeps its labels, and those of a subject stay
    neighbours, as they are in the data.

    Args:
        label: of each example (N); those of a clip follow each other.
        subject: of each example (N).
        database: of each example (N).
        seed: decides the orders.
        count: P.

    Returns:
        The labels; None where no database has two subjects, so that there is nothing to permute.
    """
    generator = np.random.default_rng(seed)
    permuted = np.tile(label, (count, 1))
    several = False
    for one in np.unique(database):
        members = np.flatnonzero(database == one)
        names, place = np.unique(subject[members], return_inverse=True)
        if len(names) == 1:
            continue
        several = True
        taken, laid = (
            members[generator.random((count, len(names)))[:, place].argsort(axis=1, kind="stable")]
            for _ in range(2)
        )
        np.put_along_axis(permuted, laid, label[taken], axis=1)
    return permuted if several else None


def label_counts(labels: NDArray[np.int64], predicted: Counts) -> Counts:
    """The confusion matrix of every permutation and repeat (P, R, K, K): one product a class.

    Args:
        labels: of each permutation and example (P, N).
        predicted: how often each repeat predicted each class of each example (R, N, K).
    """
    rows = [
        np.tensordot((labels == label).astype(float), predicted, axes=(1, 1))
        for label in range(predicted.shape[2])
    ]
    return np.stack(rows, axis=2)


def label_test(
    permuted: Counts, observed: Counts, score: Score, classes: Sequence[int]
) -> Permuted:
    """Whether a mean over repeats is higher than under permuted labels.

    Args:
        permuted: from `label_counts` (P, R, K, K).
        observed: the same of the true labels (1, R, K, K).
        score: the metric.
        classes: those that count.
    """
    found = _mean(score, permuted, classes)
    return Permuted(float(found.mean()), p_value(found, float(_mean(score, observed, classes)[0])))


def _mean(score: Score, counts: Counts, classes: Sequence[int]) -> NDArray[np.float64]:
    """The mean over repeats of the score of matrices (..., R, K, K)."""
    return np.asarray(score(counts, classes).mean(axis=-1))
