"""Tables read back with numbers as numbers."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation import schemas


def read(path: Path, schema: tables.Schema) -> pd.DataFrame:
    """Read a table; its INTEGER columns become integers and its NUMBER columns floats."""
    frame = tables.read(path, schema)
    for column, kind in schema.items():
        if kind is tables.INTEGER:
            frame[column] = frame[column].astype(int)
        elif kind is tables.NUMBER:
            frame[column] = frame[column].replace("", "nan").astype(float)
    return frame


def experiment_folder(results: Path, experiment: str) -> Path:
    """Where an experiment's tables lie."""
    return results / "experiments" / experiment


def of_cell(frame: pd.DataFrame, model: str, lr: str) -> pd.DataFrame:
    """The rows of one cell of the grid."""
    return frame[(frame["model"] == model) & (frame["lr"] == lr)]


@dataclass(frozen=True)
class Choice:
    """A cell of the grid, by whom it was chosen (`paper` or `validation`) and why."""

    name: str
    model: str
    lr: str
    reason: str


class Collected:
    """An experiment's collected runs, read once."""

    def __init__(self, results: Path, experiment: str) -> None:
        """Read the tables that `collect_runs.py` wrote."""
        folder = experiment_folder(results, experiment) / "evaluation"
        self.path = folder
        self.every = read(folder / "runs.tsv", schemas.RUNS)
        self.failed = self.every[self.every["failed"] != ""]
        # Means are over the repeats that no run failed of.
        keys = ["model", "lr", "repeat"]
        gone = pd.MultiIndex.from_frame(self.failed[keys])
        self.runs = self.every[~pd.MultiIndex.from_frame(self.every[keys]).isin(gone)]
        self.reports = read(folder / "reports.tsv", schemas.REPORTS)
        chosen = read(folder / "choices.tsv", schemas.CHOICES)
        columns = [chosen[column].tolist() for column in schemas.CHOICES]
        self.choices = [Choice(*row) for row in zip(*columns, strict=True)]
        if self.runs.empty or self.reports.empty or not self.choices:
            raise UserError(
                f"{folder}: a table has no rows; give your command again with `-R collect_runs`"
            )

    @property
    def models(self) -> list[str]:
        """The grid's models, in its order."""
        return list(dict.fromkeys(self.runs["model"]))

    @property
    def lrs(self) -> list[str]:
        """The grid's learning rates, in its order."""
        return list(dict.fromkeys(self.runs["lr"]))

    @property
    def classes(self) -> list[str]:
        """The experiment's classes, in the order of the runs."""
        rows = dict.fromkeys(self.reports["row"])
        return [row for row in rows if row not in schemas.SUMMARY_ROWS]

    def choice(self, name: str) -> tuple[str, str]:
        """The model and rate of a choice: `paper` or `validation`."""
        return next((choice.model, choice.lr) for choice in self.choices if choice.name == name)

    @property
    def folds(self) -> int:
        """How many folds each repeat has."""
        return int(self.runs["fold"].nunique())

    @property
    def repeats(self) -> int:
        """How many repeats a cell without failed runs has."""
        return int(self.runs["repeat"].nunique())

    @property
    def chance(self) -> float:
        """The accuracy of guessing: one over the number of classes."""
        return 1 / len(self.classes)

    def majority(self) -> float:
        """The share of the most frequent class among the test images."""
        support = self.reports[
            (self.reports["metric"] == "support") & self.reports["row"].isin(self.classes)
        ]
        first = support.groupby(["model", "lr"], sort=False)["mean"]
        return float((first.max() / first.sum()).iloc[0])

    def provenance(self) -> str:
        """How many repeats there are and what varied between them, as one sentence."""
        split = "one split" if self.folds == 1 else f"the same {self.folds} folds, pooled,"
        failures = self._failures()
        if self.repeats == 1:
            return f"One repeat on {split}: nothing varied, so there is no spread.{failures}"
        return (
            f"{self.repeats} repeats on {split} for all of them: only the initial weights of the "
            "head (of the whole network where it starts without pretrained weights) and the order "
            "of the images varied. sd is the standard deviation over repeats, the range runs from "
            "the smallest to the largest repeat; neither is a confidence interval, since neither "
            f"says how other images or other subjects would do.{failures}"
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
            f" {len(self.failed)} of {len(self.every)} runs failed and are in no "
            f"mean, so that some rows have fewer repeats: {named}."
        )
