"""The difference of two experiments on the same test examples, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleeting.evaluation.confusion import Counts
from fleeting.evaluation.intervals import Bootstrap, Resamples, Score, draw, ends
from fleeting.evaluation.schemas import COUNTED
from fleeting.paths import database_and_subject

Subject = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """The first experiment's score minus the second's, and both; see `intervals.Interval`."""

    first: float
    second: float
    low: float
    high: float
    kind: str
    subjects: int
    effective_subjects: float

    @property
    def mean(self) -> float:
        """The difference of the means over repeats."""
        return self.first - self.second


def count_by_subject(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions counted by subject (a person under one name), label and prediction.

    The database is that of the person's name.

    Args:
        predictions: their person, label, predicted, and repeat.
    """
    database, subject = zip(*map(database_and_subject, predictions["person"]), strict=True)
    counted = predictions.assign(database=database, subject=subject)
    names = ["repeat", "database", "subject", "label", "predicted"]
    return counted.groupby(names, sort=True).size().reset_index(name="count")


def subjects_of(table: pd.DataFrame) -> list[Subject]:
    """The subjects in rows of counts (`schemas.COUNTED`), sorted."""
    return sorted(set(zip(table["database"], table["subject"], strict=True)))


def counts_of(table: pd.DataFrame, subjects: Sequence[Subject], classes: Sequence[str]) -> Counts:
    """The confusion matrix of each repeat and subject (R, S, K, K).

    Args:
        table: the rows of one configuration or baseline (`schemas.COUNTED`).
        subjects: (database, subject) of each place in S.
        classes: the class of each place in K.
    """
    repeats = sorted(set(table["repeat"]))
    places = [
        {name: place for place, name in enumerate(names)} for names in (repeats, subjects, classes)
    ]
    of_repeat, of_subject, of_class = places
    counts = np.zeros((len(repeats), len(subjects), len(classes), len(classes)))
    rows = table[list(COUNTED)].itertuples(index=False, name=None)
    for repeat, database, subject, label, predicted, count in rows:
        place = of_repeat[repeat], of_subject[database, subject]
        counts[(*place, of_class[label], of_class[predicted])] += count
    return counts


def difference(
    first: Counts,
    second: Counts,
    databases: Sequence[str],
    score: Score,
    *,
    paired_repeats: bool = False,
) -> Difference:
    """The paired difference of a score: every resample has the same subjects of both experiments.

    Args:
        first: (R, S, K, K), see `counts_of`.
        second: the same of the other experiment, which has as many examples of each subject and
            class; its number of repeats may differ.
        databases: the database of each subject (S).
        score: the metric.
        paired_repeats: whether a repeat of one has its seed, and maybe its split, in common with
            the same repeat of the other: every resample then has the same repeats of both. Else
            they are drawn for each experiment by itself.
    """
    classes = np.flatnonzero(first.sum(axis=(0, 1, 3))).tolist()
    drawn = draw(databases, first.shape[0])
    others = drawn if paired_repeats else draw(databases, second.shape[0], seed=2)
    one = Bootstrap(first, drawn)
    other = Bootstrap(second, Resamples(drawn.subjects, others.repeats))
    kind = one.kind(classes)
    low, high = ends(one.values(score, classes) - other.values(score, classes), kind)
    return Difference(
        first=one.mean(score, classes),
        second=other.mean(score, classes),
        low=low,
        high=high,
        kind=kind,
        subjects=len(one.present(classes)),
        effective_subjects=one.effective_subjects(classes),
    )
