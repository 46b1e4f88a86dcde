"""The summaries of an experiment's runs, read back with numbers as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.spread import spread


def read(path: Path, schema: tsv.Schema) -> pd.DataFrame:
    """Read a table; its INTEGER columns become integers and its NUMBER columns floats."""
    frame = tsv.read(path, schema)
    for column, kind in schema.items():
        if kind is tsv.INTEGER:
            frame[column] = frame[column].astype(int)
        elif kind is tsv.NUMBER:
            frame[column] = frame[column].replace("", "nan").astype(float)
    return frame


def of_configuration(frame: pd.DataFrame, model: str, lr: str) -> pd.DataFrame:
    """The rows of one configuration, that is a (model, learning rate) of the grid."""
    return frame[(frame["model"] == model) & (frame["lr"] == lr)]


@dataclass(frozen=True)
class Choice:
    """A configuration, by what it was chosen (`paper` or `validation`) and why."""

    name: str
    model: str
    lr: str
    reason: str


class Summary:
    """An experiment's runs, scores and choices, as `evaluation/summary.py` wrote them."""

    def __init__(self, runs: Path, scores: Path, choices: Path) -> None:
        """Read evaluation/runs.tsv, scores.tsv and evaluation/choices.tsv."""
        self.every = read(runs, schemas.RUNS)
        self.failed = self.every[self.every["failed"] != ""]
        #: The runs that finished, which alone are in means.
        self.runs = self.every[self.every["failed"] == ""]
        #: One row per configuration, repeat, group and metric.
        self.scores = read(scores, tsv.SCORES)
        chosen = read(choices, schemas.CHOICES)
        columns = [chosen[column].tolist() for column in schemas.CHOICES]
        self.choices = [Choice(*row) for row in zip(*columns, strict=True)]
        if self.runs.empty or self.scores.empty or not self.choices:
            raise UserError(
                f"{runs.parent}: a summary of the runs has no rows; rerun with `-R summarise_runs`"
            )

    @classmethod
    def of_files(cls, files: Mapping[str, Sequence[Path]]) -> "Summary":
        """Read the files that a table or figure declares as `runs`, `scores` and `choices`."""
        return cls(files["runs"][0], files["scores"][0], files["choices"][0])

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

    def choice(self, name: str) -> tuple[str, str]:
        """The model and rate of a choice: `paper` or `validation`."""
        return next((choice.model, choice.lr) for choice in self.choices if choice.name == name)

    @cached_property
    def _values(self) -> dict[tuple[str, str], dict[tuple[str, str], dict[int, float]]]:
        found: dict[tuple[str, str], dict[tuple[str, str], dict[int, float]]] = {}
        columns = [self.scores[column].tolist() for column in tsv.SCORES]
        for model, lr, repeat, group, metric, value in zip(*columns, strict=True):
            values = found.setdefault((model, lr), {})
            values.setdefault((group, metric), {})[repeat] = value
        return found

    def values(self, model: str, lr: str) -> dict[tuple[str, str], dict[int, float]]:
        """A configuration's scores: (group, metric) to repeat to value; empty if it has none."""
        return self._values.get((model, lr), {})

    def spread(self, model: str, lr: str, metric: str, group: str = "all") -> dict[str, float]:
        """The mean, sd, low and high of one score of a configuration over its repeats."""
        return spread(list(self.values(model, lr).get((group, metric), {}).values()))

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
        """How many repeats there are and what varied between them, as one sentence."""
        split = "one split" if self.folds == 1 else f"the same {self.folds} folds, pooled,"
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
