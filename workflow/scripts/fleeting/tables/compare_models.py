"""Every configuration against the chosen ones: paired differences, and what they exclude."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting.evaluation import intervals, schemas
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.confusion import Counts
from fleeting.evaluation.intervals import Score
from fleeting.evaluation.paired import Difference, Subject, counts_of, difference, subjects_of
from fleeting.evaluation.permutation import PERMUTATIONS, exchange_p_value, exchanges, holm
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title
from fleeting.evaluation.summary import Choice, Summary, of_configuration

CAPTION = (
    "Every configuration of the grid (and, with several folds, the nested choice) against each of "
    "the choices: the paper's, validation's and the nested one. The difference of UF1 and UAR is "
    "on the same test examples, with its interval over subjects and repeats, the trained models "
    "held fixed. The p-value is that of exchanging both configurations' predictions for whole "
    "subjects, in all repeats together; it is two-sided, and Holm's correction is over the "
    "configurations that are compared with the same one on the same metric."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
}
SETTINGS = ()
COLUMNS = (
    "choice chosen_model chosen_lr model lr metric score chosen_score difference interval_low "
    "interval_high interval p p_holm repeats subjects effective_subjects"
)
#: A p-value up to this is counted in the note.
LEVEL = 0.05


@dataclass(frozen=True)
class Comparison:
    """A configuration against the chosen one, on the repeats that both have."""

    model: str
    lr: str
    found: Difference | None
    p: float
    repeats: int


@dataclass(frozen=True)
class Predictions:
    """The experiment's predictions (`schemas.SUBJECT_COUNTS`), and what they are counted by."""

    table: pd.DataFrame
    subjects: list[Subject]
    classes: list[str]

    @property
    def configurations(self) -> list[tuple[str, str]]:
        """Every (model, learning rate), in the order of the grid."""
        return list(dict.fromkeys(zip(self.table["model"], self.table["lr"], strict=True)))

    def counts(self, model: str, lr: str, repeats: set[int]) -> Counts:
        """The confusion matrices of these repeats of a configuration (R, S, K, K)."""
        own = of_configuration(self.table, model, lr)
        return counts_of(own[own["repeat"].isin(repeats)], self.subjects, self.classes)

    def repeats(self, model: str, lr: str) -> set[int]:
        """The repeats that a configuration has."""
        return set(of_configuration(self.table, model, lr)["repeat"])


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per choice, metric and other configuration.

    `difference` is the configuration's `score` minus the `chosen_score`, over the `repeats` that
    both have: runs that failed are in no mean. Without such a repeat, the cells are empty.
    """
    summary = Summary(files)
    table = schemas.read(files["counts"][0], schemas.SUBJECT_COUNTS)
    predictions = Predictions(
        table,
        subjects_of(table),
        sorted({*table["label"], *table["predicted"]}),
    )
    rows = []
    for choice in summary.choices:
        for metric, score in CLASS_AVERAGES.items():
            family = list(_compare(predictions, choice, score))
            adjusted = holm([one.p for one in family])
            for comparison, p_holm in zip(family, adjusted, strict=True):
                rows.append(_row(choice, metric, comparison, p_holm))
    frame = pd.DataFrame(rows, columns=COLUMNS.split())
    return frame, _page(frame, summary)


def _compare(predictions: Predictions, choice: Choice, score: Score) -> Iterator[Comparison]:
    """Every other configuration against the choice."""
    databases = [database for database, _ in predictions.subjects]
    exchanged = exchanges(len(databases))
    for model, lr in predictions.configurations:
        if (model, lr) == (choice.model, choice.lr):
            continue
        # A repeat has its seed, and maybe its split, in common with the same repeat of another.
        shared = predictions.repeats(model, lr) & predictions.repeats(choice.model, choice.lr)
        if not shared:
            yield Comparison(model, lr, None, nan, 0)
            continue
        one = predictions.counts(model, lr, shared)
        other = predictions.counts(choice.model, choice.lr, shared)
        classes = np.flatnonzero(other.sum(axis=(0, 1, 3))).tolist()
        p = exchange_p_value(one, other, score, classes, exchanged)
        found = difference(one, other, databases, score, paired_repeats=True)
        yield Comparison(model, lr, found, p, len(shared))


def _row(choice: Choice, metric: str, one: Comparison, p_holm: float) -> dict[str, object]:
    found = one.found
    return {
        "choice": choice.name,
        "chosen_model": choice.model,
        "chosen_lr": choice.lr,
        "model": one.model,
        "lr": one.lr,
        "metric": metric,
        "score": found.first if found else nan,
        "chosen_score": found.second if found else nan,
        "difference": found.mean if found else nan,
        **intervals.columns(found),
        "p": one.p,
        "p_holm": p_holm,
        "repeats": one.repeats,
        "subjects": found.subjects if found else 0,
        "effective_subjects": found.effective_subjects if found else nan,
    }


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading: one part per family of comparisons."""
    parts, said = [], []
    for choice in summary.distinct_choices:
        for metric in CLASS_AVERAGES:
            own = frame[(frame["choice"] == choice.name) & (frame["metric"] == metric)]
            parts.append((f"{metric_title(metric)} against {choice.title}", _part(own)))
            if len(own):
                said.append(_sentence(own, choice, metric))
    if frame.empty:
        said = ["The grid has a single configuration: there is none to compare it with."]
    return Page(
        "Configurations compared",
        f"{' '.join(said)} {summary.provenance()} A difference is the score of a configuration "
        "minus that of the chosen one, on the repeats that both have. Its interval has the same "
        f"resampled subjects and repeats for both. {intervals.NOTE} The p-value is two-sided: the "
        f"share of {PERMUTATIONS} random exchanges of both configurations' predictions for whole "
        "subjects, in all repeats together, with as large a difference (of all exchanges, where "
        "there are fewer). Holm's correction is over the configurations of one part.",
        parts,
    )


def _sentence(own: pd.DataFrame, choice: Choice, metric: str) -> str:
    """What a family's intervals exclude."""
    bounded = own[own["interval"] == intervals.BOOTSTRAP]
    excluded = ((bounded["interval_low"] > 0) | (bounded["interval_high"] < 0)).sum()
    intervals_text = (
        f"the interval of the difference excludes zero for {excluded} of {len(own)} other "
        "configurations"
        if len(bounded)
        else "the subjects are too few for intervals"
    )
    return (
        f"{metric_title(metric)} against {choice.title}: {intervals_text}, and Holm's p is at most "
        f"{LEVEL} for {(own['p_holm'] <= LEVEL).sum()} of {len(own)}."
    )


def _part(own: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "configuration": [
                configuration_title(model, lr)
                for model, lr in zip(own["model"], own["lr"], strict=True)
            ],
            "score": own["score"].map(number_text),
            "chosen one's": own["chosen_score"].map(number_text),
            "difference": own["difference"].map(number_text),
            "its 95% interval": intervals.texts(own),
            "p": [number_text(p, 4) for p in own["p"]],
            "Holm's p": [number_text(p, 4) for p in own["p_holm"]],
            "subjects": own["subjects"],
            "repeats": own["repeats"],
        }
    )
