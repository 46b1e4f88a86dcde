"""Support: how many examples a score is computed from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The number of examples labelled with one of `classes`, whatever was predicted.

    `label` and `predicted` hold the class of each example, an index (N).
    """
    return float(np.isin(label, classes).sum())
