"""UF1, the unweighted (macro) F1-score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import hits, predicted_counts, ratio, true_counts


def score(confusion: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float64]:
    """The mean over `classes` of 2 TP / (2 TP + FP + FN); 0 for a class that never occurs.

    The arguments are those of `accuracy.score`.
    """
    total = true_counts(confusion, classes) + predicted_counts(confusion, classes)
    return ratio(2 * hits(confusion, classes), total, 0.0).mean(axis=-1)
