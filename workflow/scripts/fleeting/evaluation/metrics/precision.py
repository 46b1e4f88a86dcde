"""Precision, averaged over classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The mean over `classes` of TP / (TP + FP); 0 for a class that was never predicted.

    Args:
        label: the class of each example, an index (N).
        predicted: its predicted class (N).
        classes: the classes to average over.

    Returns:
        A value from 0 to 1.
    """
    values = []
    for one in classes:
        hits = int(((label == one) & (predicted == one)).sum())
        total = int((predicted == one).sum())
        values.append(hits / total if total else 0.0)
    return float(np.mean(values))
