"""UAR, the unweighted average recall."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The mean over `classes` of TP / (TP + FN); 0 for a class without an example.

    `label` and `predicted` hold the class of each example, an index (N).
    """
    members = [label == one for one in classes]
    right = [float((label == predicted)[own].mean()) if own.any() else 0.0 for own in members]
    return float(np.mean(right))
