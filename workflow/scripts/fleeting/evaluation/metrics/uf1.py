"""UF1, the unweighted (macro) F1-score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def score(
    label: NDArray[np.integer], predicted: NDArray[np.integer], classes: Sequence[int]
) -> float:
    """The mean over `classes` of 2 TP / (2 TP + FP + FN); 0 for a class that never occurs.

    `label` and `predicted` hold the class of each example, an index (N).
    """
    values = []
    for one in classes:
        hits = int(((label == one) & (predicted == one)).sum())
        # TP + FN and TP + FP.
        total = int((label == one).sum()) + int((predicted == one).sum())
        values.append(2 * hits / total if total else 0.0)
    return float(np.mean(values))
