"""Every metric of every group of a run's predictions: the table scores.tsv."""

from collections.abc import Iterator, Sequence
from math import isnan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleeting import registry, tsv
from fleeting.evaluation.confusion import of_groups
from fleeting.evaluation.intervals import Score
from fleeting.evaluation.metrics import uar, uf1
from fleeting.evaluation.runs import Run
from fleeting.evaluation.schemas import ALWAYS_SCORED

#: The metrics that weigh classes equally: not accuracy, which follows the class shares.
CLASS_AVERAGES: dict[str, Score] = {"uf1": uf1.score, "uar": uar.score}
#: A name, which predictions belong to it, and the classes (indices) that are scored.
Group = tuple[str, NDArray[np.bool_], list[int]]


def shown_metrics(metrics: Sequence[str]) -> list[str]:
    """The metrics that tables show: accuracy, and the experiment's `metrics`."""
    return list(dict.fromkeys(["accuracy", *metrics]))


def metric_title(metric: str) -> str:
    """A metric's name for reading."""
    return {"uf1": "UF1", "uar": "UAR"}.get(metric, metric.replace("_", " "))


def score_table(
    runs: Sequence[Run], classes: Sequence[str], metrics: Sequence[str]
) -> pd.DataFrame:
    """The scores of runs that finished, a row each (`tsv.SCORES`).

    The predictions of all folds of a repeat are pooled and scored once; nothing is averaged.

    Args:
        runs: the runs.
        classes: the experiment's classes, sorted.
        metrics: the experiment's; those that the tables need are computed in any case.
    """
    names = dict.fromkeys([*metrics, *ALWAYS_SCORED])
    functions = {name: registry.load("metric", name).score for name in names}
    rows = []
    for run in runs:
        label, predicted = indices(run.predictions, classes)
        for group, members, scored in _scored(run.predictions, label, classes):
            own = np.zeros(members.sum(), dtype=int)
            counts = of_groups(label[members], predicted[members], own, 1, len(classes))[0]
            for name, score in functions.items():
                value = float(score(counts, scored))
                rows.append((run.model, run.lr, run.repeat, group, name, _text(value)))
    return pd.DataFrame(rows, columns=list(tsv.SCORES))


def indices(
    predictions: pd.DataFrame, classes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The true and the predicted classes of predictions (N) as places in `classes`."""
    place = {name: index for index, name in enumerate(classes)}
    label, predicted = (
        np.array([place[name] for name in predictions[column]], dtype=np.int64)
        for column in ("label", "predicted")
    )
    return label, predicted


def groups(predictions: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """All predictions, and those of each database and phase: which belong to each group."""
    found = {"all": np.ones(len(predictions), dtype=bool)}
    for database in sorted(set(predictions["database"])):
        found[f"database/{database}"] = (predictions["database"] == database).to_numpy()
    for phase in tsv.PHASES:
        if (predictions["phase"] == phase).any():
            found[f"phase/{phase}"] = (predictions["phase"] == phase).to_numpy()
    return found


def _scored(
    predictions: pd.DataFrame, label: NDArray[np.int64], classes: Sequence[str]
) -> Iterator[Group]:
    """The groups, and each class against the rest.

    The classes of a group are those with examples in it, so that a class which a database does not
    have lowers no mean. A class without a test example is still there, with a support of 0.
    """
    members = groups(predictions)
    for name, own in members.items():
        yield name, own, np.unique(label[own]).tolist()
    for index, name in enumerate(classes):
        yield class_group(name), members["all"], [index]


def class_group(label: str) -> str:
    """The name of the group that a class is against the rest."""
    return f"class/{label}"


def _text(value: float) -> str:
    """Twelve digits, so that a mean of scores is exact to the six decimals of other tables."""
    return "" if isnan(value) else f"{value:.12g}"
