"""Accuracy: the share of examples whose class was predicted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The share of the examples labelled with one of `classes` that were predicted so.

    `label` and `predicted` hold the class of each example, an index (N). NaN without an example.
    """
    counted = np.isin(label, classes)
    return float((label == predicted)[counted].mean()) if counted.any() else float("nan")
