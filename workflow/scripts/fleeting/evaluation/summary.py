"""An experiment's runs, scores and choices, as tables show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import schemas
from fleeting.evaluation.baseline_scores import BaselineScores
from fleeting.evaluation.choices import NESTED_LR, NESTED_MODEL, configuration_title
from fleeting.evaluation.intervals import Interval, from_row
from fleeting.evaluation.permutation import Permuted
from fleeting.evaluation.repeats import spread

#: A group or row and a metric or column, to its value in each repeat.
ByRepeat = dict[tuple[str, str], dict[int, float]]
#: Columns of a classification report, as the paper's table 2 prints one, and the metric of each. A
#: metric is an average over classes: for the group of one class it is that class's value.
REPORT = {"precision": "precision", "recall": "uar", "f1-score": "uf1", "support": "support"}


def of_configuration(frame: pd.DataFrame, model: str, lr: str) -> pd.DataFrame:
    """The rows of one configuration, that is a (model, learning rate) of the grid."""
    return frame[(frame["model"] == model) & (frame["lr"] == lr)]


@dataclass(frozen=True)
class Choice:
    """A configuration, by what it was chosen (`paper`, `validation` or `nested`) and why."""

    name: str
    model: str
    lr: str
    validation_accuracy: float
    reason: str

    @property
    def title(self) -> str:
        """The choice for reading, for example `paper: ResNet18 at 1e-05`."""
        return f"{self.name}: {configuration_title(self.model, self.lr)}"


def read_choices(path: Path) -> list[Choice]:
    """The rows of evaluation/choices.tsv."""
    columns = schemas.read(path, schemas.CHOICES)[list(schemas.CHOICES)]
    return [Choice(*row) for row in columns.itertuples(index=False, name=None)]


def order_by_validation(choices: Sequence[Path]) -> list[int]:
    """The places of experiments, the highest validation accuracy first, among equals the first.

    Args:
        choices: the evaluation/choices.tsv of each. Its accuracy is that of validation's choice: no
            order of experiments may follow from test examples.
    """
    chosen = [
        next(choice for choice in read_choices(path) if choice.name == "validation")
        for path in choices
    ]
    values = pd.Series([choice.validation_accuracy for choice in chosen])
    # Last where there is none.
    return values.sort_values(ascending=False, kind="stable").index.tolist()


class Summary:
    """What `evaluation/summarise_runs.py` wrote of an experiment."""

    def __init__(self, files: Mapping[str, Sequence[Path]], experiment: int = 0) -> None:
        """Read the files that a table declares as `runs`, `scores` and `choices`.

        A table that shows intervals declares `intervals` too, one that shows baselines
        `baselines`, and one that compares with them `counts` and `baseline_counts`.

        Args:
            files: one file per experiment under each name.
            experiment: the experiment's place in these lists.
        """
        self._files, self._experiment = files, experiment
        runs = self._read("runs", schemas.RUNS)
        #: The runs that finished, those of the nested choice included.
        self.finished = runs[runs["failed"] == ""]
        nested = (runs["model"] == NESTED_MODEL) & (runs["lr"] == NESTED_LR)
        #: The runs of the grid.
        self.every = runs[~nested]
        self.failed = self.every[self.every["failed"] != ""]
        #: Those that finished, which alone are in means.
        self.runs = self.every[self.every["failed"] == ""]
        #: One row per configuration, repeat, group and metric.
        self.scores = self._read("scores", tsv.SCORES)
        self.choices = read_choices(files["choices"][experiment])

    def _read(self, name: str, schema: tsv.Schema) -> pd.DataFrame:
        return schemas.read(self._files[name][self._experiment], schema)

    @property
    def models(self) -> list[str]:
        """The grid's models, in its order."""
        return list(dict.fromkeys(self.runs["model"]))

    @property
    def lrs(self) -> list[str]:
        """The grid's learning rates, in its order."""
        return list(dict.fromkeys(self.runs["lr"]))

    @cached_property
    def classes(self) -> list[str]:
        """The experiment's classes, in the order of scores.tsv."""
        groups = dict.fromkeys(self.scores["group"])
        return [group.removeprefix("class/") for group in groups if group.startswith("class/")]

    @property
    def distinct_choices(self) -> list[Choice]:
        """The choices; a configuration that is chosen twice stands under its first name."""
        found = {(one.model, one.lr): one for one in reversed(self.choices)}
        return [*reversed(found.values())]

    def choice(self, name: str) -> Choice:
        """A choice by its name: `paper`, `validation` or, if there is one, `nested`."""
        return next(choice for choice in self.choices if choice.name == name)

    @cached_property
    def _values(self) -> dict[tuple[str, str], ByRepeat]:
        found: dict[tuple[str, str], ByRepeat] = {}
        rows = self.scores[list(tsv.SCORES)].itertuples(index=False, name=None)
        for model, lr, repeat, group, metric, value in rows:
            values = found.setdefault((model, lr), {})
            values.setdefault((group, metric), {})[repeat] = value
        return found

    def values(self, model: str, lr: str) -> ByRepeat:
        """A configuration's scores: (group, metric) to repeat to value; empty if it has none."""
        return self._values.get((model, lr), {})

    def spread(self, model: str, lr: str, metric: str, group: str = "all") -> dict[str, float]:
        """The mean, sd, low and high of one score of a configuration over its repeats."""
        return spread(list(self.values(model, lr).get((group, metric), {}).values()))

    @cached_property
    def _intervals(self) -> dict[tuple[str, ...], dict[Any, Any]]:
        """The rows of the intervals by model, learning rate, group and metric."""
        return {
            (row["model"], row["lr"], row["group"], row["metric"]): row
            for row in self._read("intervals", schemas.INTERVALS).to_dict("records")
        }

    @cached_property
    def baselines(self) -> BaselineScores:
        """The scores of the baselines."""
        return BaselineScores(self._files["baselines"][self._experiment])

    @cached_property
    def counts(self) -> pd.DataFrame:
        """The predictions of runs, counted by subject (`schemas.SUBJECT_COUNTS`)."""
        return self._read("counts", schemas.SUBJECT_COUNTS)

    @cached_property
    def baseline_counts(self) -> pd.DataFrame:
        """Those of the baselines (`schemas.BASELINE_COUNTS`)."""
        return self._read("baseline_counts", schemas.BASELINE_COUNTS)

    def interval(self, model: str, lr: str, metric: str, group: str = "all") -> Interval | None:
        """The interval of one score of a configuration; None where it has no run."""
        row = self._intervals.get((model, lr, group, metric))
        return from_row(row) if row else None

    def permuted(self, model: str, lr: str, metric: str) -> Permuted | None:
        """A score under permuted labels; None where it has no run, or no test is possible."""
        row = self._intervals.get((model, lr, "all", metric))
        if row is None or isnan(row["permuted_p"]):
            return None
        return Permuted(row["permuted_mean"], row["permuted_p"])

    def report(self, model: str, lr: str) -> ByRepeat:
        """A configuration's classification report: (row, column) to repeat to value.

        The rows are the classes, `accuracy`, `macro avg` (over the classes with test examples) and
        `weighted avg` (of the classes' values, weighted by their support). Empty where the grid
        lacks the configuration.
        """
        values = self.values(model, lr)
        if not values:
            return {}
        report = {
            (name, column): values[f"class/{name}", metric]
            for name in self.classes
            for column, metric in REPORT.items()
        }
        report["accuracy", "accuracy"] = values["all", "accuracy"]
        for column, metric in REPORT.items():
            report["macro avg", column] = values["all", metric]
        support = values["all", "support"]
        for column in ("precision", "recall", "f1-score"):
            report["weighted avg", column] = {
                repeat: sum(
                    report[name, column][repeat] * report[name, "support"][repeat]
                    for name in self.classes
                )
                / total
                for repeat, total in support.items()
            }
        report["weighted avg", "support"] = support
        return report

    @property
    def folds(self) -> int:
        """How many folds each repeat has."""
        return int(self.runs["folds"].max())

    @property
    def repeats(self) -> int:
        """How many repeats a configuration without failed runs has."""
        return int(self.runs["repeat"].nunique())

    @property
    def chance(self) -> float:
        """The expected accuracy of guessing every class equally often."""
        return 1 / len(self.classes)

    @cached_property
    def support(self) -> dict[str, float]:
        """The number of test examples of each class (the mean over repeats, should they differ)."""
        model, lr = self.runs.iloc[0][["model", "lr"]]
        return {
            name: self.spread(model, lr, "support", f"class/{name}")["mean"]
            for name in self.classes
        }

    @property
    def majority(self) -> float:
        """The share of the most frequent class among the test examples."""
        return max(self.support.values()) / sum(self.support.values())

    @property
    def redrawn(self) -> bool:
        """Whether each repeat has folds of its own."""
        return bool(self.runs["redrawn"].any())

    def varied(self) -> str:
        """What varied between the repeats, in a few words."""
        if self.repeats == 1:
            return "nothing: one repeat"
        seeds = "initial weights (with pretrained ones: the head's only), order of examples"
        if self.redrawn:
            return f"{seeds}, and the split"
        kept = "one split" if self.folds == 1 else f"the same {self.folds} folds"
        return f"{seeds}; {kept}"

    def provenance(self) -> str:
        """How many repeats there are, what varied between them, and which runs failed."""
        split = "one split" if self.folds == 1 else f"the same {self.folds} folds, pooled"
        failures = self._failures()
        if self.repeats == 1:
            return f"One repeat on {split}: nothing varied, so there is no spread.{failures}"
        weights = "head (of the whole network where it starts without pretrained weights)"
        varied = (
            f"{self.repeats} repeats, each on a split of its own: the split, the initial weights "
            f"of the {weights} and the order of the examples varied."
            if self.redrawn
            else f"{self.repeats} repeats on {split} for all of them: only the initial weights of "
            f"the {weights} and the order of the examples varied."
        )
        return (
            f"{varied} sd is the standard deviation over repeats, the range runs from the smallest "
            "to the largest repeat; neither is a confidence interval, since neither says how other "
            f"images or other subjects would do.{failures}"
        )

    def _failures(self) -> str:
        """The runs that are in no mean, as a sentence; nothing if there are none."""
        if self.failed.empty:
            return ""
        named = "; ".join(
            f"{row['model']} at {row['lr']}, repeat {row['repeat']} ({row['failed']})"
            for row in self.failed.to_dict("records")
        )
        return (
            f" {len(self.failed)} of {len(self.every)} runs failed and are in no mean, so that "
            f"some rows have fewer repeats: {named}."
        )
