"""What predictors that never look at a face score on the same examples."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fleeting.rescore.definitions import Coded, present, score


def nulls(coded: Coded) -> dict[str, dict[str, float]]:
    """UF1, UAR and accuracy of each null model, by its name.

    `database-only` names the most frequent class of the example's database among the other
    subjects, and `balanced` weighs classes by their frequency first: what a network that only tells
    the databases apart would reach under leave one subject out.
    """
    classes = len(coded.classes)
    shares = np.bincount(coded.label, minlength=classes) / len(coded.label)
    found = {"majority": _scores(coded, np.full_like(coded.label, shares.argmax()))}
    # Expected counts of guessing: F1 of a class with share s named with share q is 2sq / (s + q).
    for name, guess in (("uniform", np.full(classes, 1 / classes)), ("class shares", shares)):
        own = shares > 0
        f1 = 2 * shares[own] * guess[own] / (shares[own] + guess[own])
        found[name] = {
            "uf1": float(f1.mean()),
            "uar": float(guess[own].mean()),
            "accuracy": float((shares * guess).sum()),
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
