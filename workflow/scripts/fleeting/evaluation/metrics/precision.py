"""Precision, averaged over classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import hits, predicted_counts, ratio


def score(confusion: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float64]:
    """The mean over `classes` of TP / (TP + FP); 0 for a class that was never predicted.

    The arguments are those of `accuracy.score`.
    """
    right, named = hits(confusion, classes), predicted_counts(confusion, classes)
    return ratio(right, named, 0.0).mean(axis=-1)
