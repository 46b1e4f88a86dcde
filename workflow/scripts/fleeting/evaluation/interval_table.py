"""The interval of every score of every configuration, with p-values: evaluation/intervals.tsv."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache, partial
from itertools import groupby
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from fleeting import registry
from fleeting.evaluation import schemas
from fleeting.evaluation.confusion import Counts, of_groups
from fleeting.evaluation.intervals import Bootstrap, Score, draw
from fleeting.evaluation.permutation import Permuted, label_counts, label_test, permuted_labels
from fleeting.evaluation.runs import Run
from fleeting.evaluation.scores import class_group, groups, indices, shown_metrics
from fleeting.paths import database_and_subject


def interval_table(
    runs: Sequence[Run], classes: Sequence[str], metrics: Sequence[str]
) -> pd.DataFrame:
    """The intervals of runs that finished (`schemas.INTERVALS`), over subjects and repeats.

    Args:
        runs: the runs, the repeats of a configuration one after the other.
        classes: the experiment's classes, sorted.
        metrics: the experiment's.
    """
    subjects = people_of([run.predictions for run in runs])
    names = shown_metrics(metrics)
    test = LabelTest(runs, classes)
    rows = []
    for (model, lr), of_configuration in groupby(runs, key=lambda run: (run.model, run.lr)):
        repeats = list(of_configuration)
        permuted = test.of(repeats, _functions(names))
        for row in scored([run.predictions for run in repeats], classes, subjects, names):
            beside = permuted.get(row["metric"]) if row["group"] == "all" else None
            rows.append(
                {
                    **{"model": model, "lr": lr},
                    **row,
                    "permuted_mean": beside.mean if beside else nan,
                    "permuted_p": beside.p if beside else nan,
                }
            )
    return pd.DataFrame(rows, columns=list(schemas.INTERVALS))


def people_of(predictions: Sequence[pd.DataFrame]) -> list[str]:
    """The person of every prediction, each once, sorted."""
    return sorted({person for frame in predictions for person in frame["person"]})


def scored(
    repeats: Sequence[pd.DataFrame],
    classes: Sequence[str],
    subjects: Sequence[str],
    metrics: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Every metric of every group of predictions, with its interval (`schemas.SCORED`).

    Args:
        repeats: the predictions of each repeat: label, predicted, database, person and phase.
        classes: the experiment's, sorted.
        subjects: see `people_of`.
        metrics: modules of evaluation/metrics.
    """
    databases = [database_and_subject(person)[0] for person in subjects]
    for group, bootstrap, counted in _bootstraps(repeats, classes, subjects, databases):
        for name, score in _functions(metrics).items():
            found = asdict(bootstrap.interval(score, counted))
            yield {"group": group, "metric": name, **found, "repeats": len(bootstrap.counts)}


def _functions(metrics: Sequence[str]) -> dict[str, Score]:
    return {name: registry.load("metric", name).score for name in metrics}


def _bootstraps(
    repeats: Sequence[pd.DataFrame],
    classes: Sequence[str],
    subjects: Sequence[str],
    databases: Sequence[str],
) -> Iterator[tuple[str, Bootstrap, list[int]]]:
    """Each group of a configuration's predictions, its resamples, and the classes that it has.

    A group is of the repeats that have it: with splits of their own, others may lack it.
    """
    place = {subject: index for index, subject in enumerate(subjects)}
    counts: dict[str, Counts] = {}
    for number, predictions in enumerate(repeats):
        label, predicted = indices(predictions, classes)
        subject = np.array([place[person] for person in predictions["person"]])
        for group, own in groups(predictions).items():
            shape = (len(repeats), len(subjects), len(classes), len(classes))
            counts.setdefault(group, np.zeros(shape))[number] = of_groups(
                label[own], predicted[own], subject[own], *shape[1:3]
            )
    drawn = cache(partial(draw, databases))
    every = Bootstrap(counts["all"], drawn(len(repeats)))
    for group, of_group in counts.items():
        own = of_group[of_group.sum(axis=(1, 2, 3)) > 0]
        bootstrap = every if group == "all" else Bootstrap(own, drawn(len(own)))
        yield group, bootstrap, np.flatnonzero(own.sum(axis=(0, 1, 3))).tolist()
    for index, name in enumerate(classes):
        yield class_group(name), every, [index]


class LabelTest:
    """The test of scores against labels permuted over subjects, the predictions fixed."""

    def __init__(self, runs: Sequence[Run], classes: Sequence[str]) -> None:
        """Permute the labels of all examples that are tested, alike for all runs.

        A split of its own in each repeat tests other examples: each example has one label.
        """
        columns = ["database", "person", "example", "label"]
        tested = pd.concat(run.predictions[columns] for run in runs).drop_duplicates("example")
        tested = tested.sort_values(columns[:3], kind="stable")
        self.classes = classes
        self.place = {example: place for place, example in enumerate(tested["example"])}
        self.label, _ = indices(tested.assign(predicted=tested["label"]), classes)
        database, subject = (tested[name].factorize()[0] for name in columns[:2])
        self.permuted = permuted_labels(self.label, subject, database)

    def of(self, repeats: Sequence[Run], scores: Mapping[str, Score]) -> dict[str, Permuted]:
        """Each score's test over the repeats of a configuration; none where there is no test."""
        if self.permuted is None:
            return {}
        predicted = np.zeros((len(repeats), len(self.label), len(self.classes)))
        for number, run in enumerate(repeats):
            _, named = indices(run.predictions, self.classes)
            place = run.predictions["example"].map(self.place).to_numpy()
            np.add.at(predicted[number], (place, named), 1)
        permuted = label_counts(self.permuted, predicted)
        observed = label_counts(self.label[None], predicted)
        scored = np.flatnonzero(observed.sum(axis=(0, 1, 3))).tolist()
        return {
            name: label_test(permuted, observed, score, scored) for name, score in scores.items()
        }
