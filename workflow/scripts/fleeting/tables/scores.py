"""The scores of the chosen configurations by database, phase and class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.results import Summary
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.scores import shown
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tsv import INTEGER, NAME, NUMBER, Schema

FILE = "scores_by_group"
CAPTION = (
    "The scores of the chosen configurations over all test examples, and by database, phase and "
    "class. The predictions of all folds of a repeat are scored together, and the scores averaged "
    "over repeats. UF1 and UAR are averaged over the classes that have test examples in the group; "
    "their number is given. The range over repeats is not a confidence interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("experiment.metrics",)
#: `classes` counts those with test examples in the group, `examples` is their number (a mean over
#: repeats, should folds differ between them). `chance` (guessing every class of the experiment
#: equally often) stands beside accuracy and UAR, `majority` (always naming the group's most
#: frequent class) beside accuracy.
SCORES_BY_GROUP: Schema = {
    "choice": NAME,
    "model": NAME,
    "lr": NAME,
    "group": NAME,
    "classes": INTEGER,
    "examples": NUMBER,
    "metric": NAME,
    **dict.fromkeys(SPREAD, NUMBER),
    "repeats": INTEGER,
    "chance": NUMBER,
    "majority": NUMBER,
}


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """Mean, standard deviation, smallest and largest over repeats of every score."""
    summary = Summary.of_files(files)
    split = tsv.read(files["split"][0], tsv.SPLIT)
    tested = split[split["split"] == "test"]
    metrics = shown(settings["experiment.metrics"])
    rows = []
    for choice in summary.choices:
        values = summary.values(choice.model, choice.lr)
        for group in dict.fromkeys(group for group, _ in values):
            labels = _members(tested, group)["label"].value_counts()
            support = values[group, "support"]
            for metric in metrics:
                by_repeat = values[group, metric]
                rows.append(
                    {
                        "choice": choice.name,
                        "model": choice.model,
                        "lr": choice.lr,
                        "group": group,
                        "classes": len(labels),
                        "examples": sum(support.values()) / len(support),
                        "metric": metric,
                        **spread(list(by_repeat.values())),
                        "repeats": len(by_repeat),
                        "chance": summary.chance if metric in ("accuracy", "uar") else None,
                        "majority": (
                            labels.max() / labels.sum()
                            if metric == "accuracy" and len(labels) > 1
                            else None
                        ),
                    }
                )
    frame = pd.DataFrame(rows, columns=list(SCORES_BY_GROUP))
    frame = frame.astype({"chance": float, "majority": float})
    return frame, SCORES_BY_GROUP, _page(frame, summary, metrics)


def _members(tested: pd.DataFrame, group: str) -> pd.DataFrame:
    """The test examples of a group of scores.tsv; those of a class are the ones labelled so."""
    if group == "all":
        return tested
    kind, _, name = group.partition("/")
    return tested[tested["label" if kind == "class" else kind] == name]


def _page(frame: pd.DataFrame, summary: Summary, metrics: Sequence[str]) -> Page:
    """The table for reading: one part per choice, groups in rows, metrics in columns."""
    parts = []
    for choice in summary.choices:
        own = frame[frame["choice"] == choice.name]
        rows = []
        for group, cells in own.groupby("group", sort=False):
            first = cells.iloc[0]
            row: dict[str, object] = {"group": str(group).replace("/", ": ", 1)}
            row |= {"test examples": f"{first['examples']:.0f}", "classes": first["classes"]}
            for metric, cell in zip(metrics, cells.to_dict("records"), strict=True):
                title = metric.upper() if metric in ("uf1", "uar") else metric
                row[title] = share(cell["mean"])
                row[f"{title} over repeats"] = spread_text(cell)
            row |= {"repeats": first["repeats"], "chance": share(first["chance"])}
            rows.append(row | {"majority": share(first["majority"])})
        heading = f"{choice.name}: {paper_name(choice.model)} at {choice.lr} ({choice.reason})"
        parts.append((heading, pd.DataFrame(rows)))
    return Page(
        "Scores by database, phase and class",
        f"{summary.provenance()} The predictions of all folds of a repeat are scored together. UF1 "
        "and UAR are the F1-score and the recall averaged over the classes that have test examples "
        "in the group. A class is scored against the rest: its accuracy and its UAR are its "
        "recall. Chance is the accuracy and UAR of guessing every class equally often, majority "
        "the accuracy of always naming the group's most frequent class.",
        parts,
    )
