"""Precision, averaged over classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The mean over `classes` of TP / (TP + FP); 0 for a class that was never predicted.

    `label` and `predicted` hold the class of each example, an index (N).
    """
    named = [predicted == one for one in classes]
    right = [float((label == predicted)[own].mean()) if own.any() else 0.0 for own in named]
    return float(np.mean(right))
