"""UAR, the unweighted average recall."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import hits, ratio, true_counts


def score(confusion: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float64]:
    """The mean over `classes` of TP / (TP + FN); 0 for a class without an example.

    The arguments are those of `accuracy.score`.
    """
    right, labelled = hits(confusion, classes), true_counts(confusion, classes)
    return ratio(right, labelled, 0.0).mean(axis=-1)
