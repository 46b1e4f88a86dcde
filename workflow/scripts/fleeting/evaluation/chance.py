"""What predictions without any skill score, from the true classes of the test examples alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

#: The metrics of which it is known.
METRICS = ("accuracy", "uf1", "uar")
#: The column of the split that a kind of group is about, where it has another name.
_COLUMNS = {"class": "label"}


@dataclass(frozen=True)
class Chance:
    """The scores of two predictors that never look at an example, from 0 to 1.

    `guessing` names each of the experiment's K classes equally often: its accuracy and UAR are 1/K.
    `majority` always names the group's most frequent class. Both are computed from expected counts.
    For a single class there is no majority.
    """

    guessing: float
    majority: float | None


def members(tests: pd.DataFrame, group: str) -> pd.DataFrame:
    """The test examples of a group of scores.tsv; those of a class are the ones labelled so.

    Args:
        tests: the rows of split.tsv that are tested.
        group: `all`, `database/...`, `phase/...` or `class/...`.
    """
    kind, _, value = group.partition("/")
    return tests if kind == "all" else tests[tests[_COLUMNS.get(kind, kind)] == value]


def of(metric: str, tests: pd.DataFrame, group: str, classes: int) -> Chance | None:
    """Chance of a metric in a group of scores.tsv; None where the group has no test example.

    Args:
        metric: `accuracy`, `uf1` or `uar`.
        tests: the rows of split.tsv that are tested.
        group: as in `members`.
        classes: the number of classes of the experiment.
    """
    own = members(tests, group)
    if own.empty:
        return None
    if group.startswith("class/"):
        return of_class(metric, len(own) / len(tests), classes)
    return of_group(metric, own["label"].value_counts().tolist(), classes)


def of_group(metric: str, counts: Sequence[int], classes: int) -> Chance:
    """Chance of `accuracy`, `uf1` or `uar` for a group of examples.

    Args:
        metric: the metric.
        counts: the number of examples of each class that the group has, at least one.
        classes: the number of classes of the experiment.
    """
    shares = [count / sum(counts) for count in counts]
    largest = max(shares)
    if metric == "uf1":
        guessing = sum(_f1(share, 1 / classes) for share in shares) / len(shares)
        return Chance(guessing, _f1(largest, 1) / len(shares))
    return Chance(1 / classes, largest if metric == "accuracy" else 1 / len(shares))


def of_class(metric: str, share: float, classes: int) -> Chance:
    """Chance for one class against the rest: its recall, or its F1 or precision.

    Args:
        metric: `uf1` for its F1, `precision`; any other is its recall.
        share: the share of the examples that are of that class.
        classes: the number of classes of the experiment.
    """
    guessing = {"uf1": _f1(share, 1 / classes), "precision": share}
    return Chance(guessing.get(metric, 1 / classes), None)


def _f1(share: float, named: float) -> float:
    """F1 of a class with a share of the examples, if it is named for a share of them at random."""
    return 2 * share * named / (share + named)
