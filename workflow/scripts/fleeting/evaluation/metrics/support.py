"""Support: how many examples a score is computed from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import true_counts


def score(confusion: NDArray[np.float64], classes: Sequence[int]) -> NDArray[np.float64]:
    """The number of examples of `classes`, whatever was predicted.

    The arguments are those of `accuracy.score`.
    """
    return true_counts(confusion, classes).sum(axis=-1)
