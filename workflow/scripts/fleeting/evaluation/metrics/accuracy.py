"""Accuracy: the share of examples whose class was predicted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The share of the examples labelled with one of `classes` that were predicted so.

    Args:
        label: the class of each example, an index (N).
        predicted: its predicted class (N).
        classes: the classes that count; examples of others are left out.

    Returns:
        A value from 0 to 1; NaN without an example.
    """
    counted = np.isin(label, classes)
    if not counted.any():
        return float("nan")
    return float((label == predicted)[counted].mean())
