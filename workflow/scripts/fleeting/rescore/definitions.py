"""The definitions behind numbers that are published as F1, recall or accuracy.

On the same predictions they differ by tenths; a claimed number can be told by which of them it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleeting import registry
from fleeting.evaluation.confusion import (
    Counts,
    hits,
    of_groups,
    predicted_counts,
    ratio,
    true_counts,
)


@dataclass(frozen=True)
class Coded:
    """Predictions as indices: classes, subjects and databases by their places in sorted names."""

    classes: list[str]
    databases: list[str]
    subjects: list[tuple[str, str]]
    label: NDArray[np.int64]
    predicted: NDArray[np.int64]
    database: NDArray[np.int64]
    subject: NDArray[np.int64]

    def counts(self, group: NDArray[np.int64], groups: int) -> Counts:
        """The confusion matrix of each group (groups, K, K)."""
        return of_groups(self.label, self.predicted, group, groups, len(self.classes))


def present(counts: Counts) -> list[int]:
    """The classes with true examples."""
    return np.flatnonzero(counts.sum(axis=1)).tolist()


def named(counts: Counts) -> list[int]:
    """The classes with true examples or predictions: what scikit-learn takes by default."""
    return np.flatnonzero(counts.sum(axis=1) + counts.sum(axis=0)).tolist()


def definitions(coded: Coded) -> dict[str, float]:
    """The value of each definition, by what it is called here."""
    pooled = coded.counts(np.zeros_like(coded.label), 1)[0]
    found = {
        "accuracy": score("accuracy", pooled, present(pooled)),
        "UF1": score("uf1", pooled, present(pooled)),
        "UAR": score("uar", pooled, present(pooled)),
        "macro precision": score("precision", pooled, present(pooled)),
        **_weighted(pooled),
        "F1 of the macro precision and the macro recall": _f1_of_means(pooled),
    }
    if named(pooled) != present(pooled):
        for title, metric in (("UF1", "uf1"), ("UAR", "uar"), ("macro precision", "precision")):
            found[f"{title} over predicted classes too"] = score(metric, pooled, named(pooled))
    everywhere = present(pooled)
    for title, group, groups in (
        ("subjects", coded.subject, len(coded.subjects)),
        ("databases", coded.database, len(coded.databases)),
    ):
        if groups > 1:
            found |= _means(title, coded.counts(group, groups), everywhere)
    return found


def _means(title: str, counts: Counts, everywhere: list[int]) -> dict[str, float]:
    """Means over groups, each scored over all classes, over its own, or over those named in it.

    Where two of these are the same classes in every group, the first stands for both.
    """
    conventions: dict[str, list[list[int]]] = {}
    for name, classes in (
        ("all classes", [everywhere] * len(counts)),
        ("their own classes", [present(one) for one in counts]),
        ("own and predicted classes", [named(one) for one in counts]),
    ):
        if classes not in conventions.values():
            conventions[name] = classes
    found = {f"mean accuracy over {title}": _mean("accuracy", counts, conventions["all classes"])}
    for metric, name in (("uf1", "F1"), ("uar", "recall")):
        for convention, classes in conventions.items():
            found[f"mean {name} over {title}, {convention}"] = _mean(metric, counts, classes)
    return found


def _mean(metric: str, counts: Counts, classes: Sequence[list[int]]) -> float:
    return float(
        np.mean([score(metric, one, own) for one, own in zip(counts, classes, strict=True)])
    )


def score(metric: str, counts: Counts, classes: Sequence[int]) -> float:
    """A metric of one confusion matrix, over `classes`."""
    return float(registry.load("metric", metric).score(counts, classes))


def _weighted(pooled: Counts) -> dict[str, float]:
    """Means over classes, weighted by their true examples."""
    every = range(len(pooled))
    right, true, said = (part(pooled, every) for part in (hits, true_counts, predicted_counts))
    shares = true / true.sum()
    return {
        "weighted F1": float((ratio(2 * right, true + said, 0.0) * shares).sum()),
        "weighted precision": float((ratio(right, said, 0.0) * shares).sum()),
    }


def _f1_of_means(pooled: Counts) -> float:
    recall, precision = (score(metric, pooled, present(pooled)) for metric in ("uar", "precision"))
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def fitting(claim: str, values: dict[str, float]) -> list[str]:
    """The definitions whose value rounds to a claimed number, at its own decimals.

    Args:
        claim: the number as it was printed, for example `0.7605`, `.76` or `76.05%`.
        values: see `definitions`.

    Raises:
        ValueError: the claim is not a number.
    """
    text = claim.strip()
    percent = text.endswith("%") or float(text.rstrip("%")) > 1
    text = text.rstrip("%").strip()
    decimals = len(text.partition(".")[2]) + (2 if percent else 0)
    number = float(text) / (100 if percent else 1)
    if not math.isfinite(number):
        raise ValueError(claim)
    tolerance = 0.5 * 10.0**-decimals + 1e-9
    return [name for name, value in values.items() if abs(value - number) <= tolerance]
