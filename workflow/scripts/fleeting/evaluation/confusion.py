"""Confusion matrices: counts by true class (rows) and predicted class (columns).

All metrics are functions of one, so that thousands of resamples are scored at once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


def of_groups(
    label: NDArray[np.integer],
    predicted: NDArray[np.integer],
    group: NDArray[np.integer],
    groups: int,
    classes: int,
) -> Counts:
    """The confusion matrix of each group of predictions.

    Args:
        label: the true class of each prediction, an index (N).
        predicted: the predicted one (N).
        group: the group of each prediction, for example its subject, an index (N).
        groups: G, how many groups there are.
        classes: K, how many classes there are.

    Returns:
        (G, K, K).
    """
    counts = np.zeros((groups, classes, classes))
    np.add.at(counts, (group, label, predicted), 1)
    return counts


def hits(confusion: Counts, classes: Sequence[int]) -> Counts:
    """TP of each of `classes` (..., C)."""
    return np.diagonal(confusion, axis1=-2, axis2=-1)[..., list(classes)]


def true_counts(confusion: Counts, classes: Sequence[int]) -> Counts:
    """TP + FN, the examples of each of `classes` (..., C)."""
    return confusion.sum(axis=-1)[..., list(classes)]


def predicted_counts(confusion: Counts, classes: Sequence[int]) -> Counts:
    """TP + FP, how often each of `classes` was predicted (..., C)."""
    return confusion.sum(axis=-2)[..., list(classes)]


def ratio(part: Counts, whole: Counts, undefined: float) -> Counts:
    """`part` / `whole`, and `undefined` where the whole is 0."""
    found = np.full(np.broadcast_shapes(part.shape, whole.shape), undefined)
    return np.divide(part, whole, out=found, where=whole > 0)
