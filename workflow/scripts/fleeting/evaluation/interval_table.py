"""The interval of every score of every configuration: evaluation/intervals.tsv."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

import numpy as np
import pandas as pd

from fleeting import registry
from fleeting.evaluation import schemas
from fleeting.evaluation.confusion import Counts, of_groups
from fleeting.evaluation.intervals import Bootstrap, Resamples, draw
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
    scores = {name: registry.load("metric", name).score for name in shown_metrics(metrics)}
    subjects = sorted({person for run in runs for person in run.predictions["person"]})
    databases = [database_and_subject(person)[0] for person in subjects]
    rows = []
    for (model, lr), of_configuration in groupby(runs, key=lambda run: (run.model, run.lr)):
        repeats = list(of_configuration)
        resamples = draw(databases, len(repeats))
        for group, bootstrap, scored in _bootstraps(repeats, classes, subjects, resamples):
            for name, score in scores.items():
                found = asdict(bootstrap.interval(score, scored))
                row = {"model": model, "lr": lr, "group": group, "metric": name}
                rows.append({**row, **found, "repeats": len(repeats)})
    return pd.DataFrame(rows, columns=list(schemas.INTERVALS))


def _bootstraps(
    repeats: Sequence[Run],
    classes: Sequence[str],
    subjects: Sequence[str],
    resamples: Resamples,
) -> Iterator[tuple[str, Bootstrap, list[int]]]:
    """Each group of a configuration's predictions, its resamples, and the classes that it has."""
    place = {subject: index for index, subject in enumerate(subjects)}
    counts: dict[str, Counts] = {}
    for number, run in enumerate(repeats):
        label, predicted = indices(run.predictions, classes)
        subject = np.array([place[person] for person in run.predictions["person"]])
        for group, own in groups(run.predictions).items():
            shape = (len(repeats), len(subjects), len(classes), len(classes))
            counts.setdefault(group, np.zeros(shape))[number] = of_groups(
                label[own], predicted[own], subject[own], *shape[1:3]
            )
    every = Bootstrap(counts["all"], resamples)
    for group, of_group in counts.items():
        bootstrap = every if group == "all" else Bootstrap(of_group, resamples)
        yield group, bootstrap, np.flatnonzero(of_group.sum(axis=(0, 1, 3))).tolist()
    for index, name in enumerate(classes):
        yield class_group(name), every, [index]
