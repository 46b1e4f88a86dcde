"""Accuracy: the share of examples whose class was predicted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import hits, ratio, true_counts


def score(confusion: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float64]:
    """The share of the examples of `classes` that were predicted so; NaN without an example.

    Args:
        confusion: counts (..., K, K) by true and predicted class.
        classes: indices of the classes that count.

    Returns:
        The metric of each matrix (...).
    """
    right, labelled = hits(confusion, classes), true_counts(confusion, classes)
    return ratio(right.sum(axis=-1), labelled.sum(axis=-1), np.nan)
