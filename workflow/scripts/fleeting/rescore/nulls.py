"""What predictors that never look at a face score on the same examples."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation import chance
from fleeting.rescore.definitions import Coded, present, score


def nulls(coded: Coded) -> dict[str, dict[str, float]]:
    """UF1, UAR and accuracy of each null model, by its name.

    `database-only` names the most frequent class of the example's database among the other
    subjects, and `balanced` weighs classes by their frequency first: what a network that only tells
    the databases apart would reach under leave one subject out.
    """
    counts = np.bincount(coded.label)
    counts = counts[counts > 0]
    shares = counts / counts.sum()
    by_chance = {
        metric: chance.of_group(metric, counts.tolist(), len(counts)) for metric in chance.METRICS
    }
    found = {
        "majority": {metric: known.majority or 0.0 for metric, known in by_chance.items()},
        "uniform": {metric: known.guessing for metric, known in by_chance.items()},
        # Of expected counts: a class named as often as it occurs has its share as F1 and recall.
        "class shares": {
            "accuracy": float((shares**2).sum()),
            "uf1": float(shares.mean()),
            "uar": float(shares.mean()),
        },
    }
    if len(coded.databases) > 1:
        for name, balanced in (("database-only", False), ("database-only, balanced", True)):
            found[name] = _scores(coded, database_only(coded, balanced))
    return found


def database_only(coded: Coded, balanced: bool) -> NDArray[np.int64]:
    """The class that each example's database alone suggests, counted on the other subjects.

    Args:
        coded: the examples.
        balanced: divide the counts by those of the class in all databases.
    """
    shape = (len(coded.subjects), len(coded.databases), len(coded.classes))
    counts = np.zeros(shape)
    np.add.at(counts, (coded.subject, coded.database, coded.label), 1)
    # (S, D, K): without the subject itself.
    others = counts.sum(axis=0) - counts
    if balanced:
        totals = others.sum(axis=1, keepdims=True)
        others = np.divide(others, totals, out=np.zeros(shape), where=totals > 0)
    chosen: NDArray[np.int64] = others.argmax(axis=2)[coded.subject, coded.database]
    return chosen


def _scores(coded: Coded, predicted: NDArray[np.int64]) -> dict[str, float]:
    counts = replace(coded, predicted=predicted).counts(np.zeros_like(coded.label), 1)[0]
    return {name: score(name, counts, present(counts)) for name in ("uf1", "uar", "accuracy")}
