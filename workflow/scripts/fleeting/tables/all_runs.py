"""One row per configuration of the grid, all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.results import Summary, of_configuration
from fleeting.evaluation.schemas import HISTORY_METRICS, SPREAD
from fleeting.evaluation.scores import shown
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tsv import INTEGER, NAME, NUMBER, TEXT, Schema

CAPTION = (
    "All configurations of the grid: every model at every learning rate, with its accuracies and "
    "losses after the last epoch and its scores on the test examples. Chance is one over the "
    "number of classes. Marked are the configuration that the paper chose and the one with the "
    "highest validation accuracy; none is chosen by its test. The note above the table says how "
    "many repeats there are and what varied between them; their range is not a confidence "
    "interval. Runs that failed are in no mean; where repeats are missing, the number of those "
    "left is given."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
}
SETTINGS = ("experiment.metrics",)


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """Every configuration: its last epoch, and its test, over the repeats.

    `failed` lists the repeats that are in no mean, and why.
    """
    summary = Summary.of_files(files)
    metrics = shown(settings["experiment.metrics"])
    schema = _schema(metrics)
    rows = []
    for (model, lr), every in summary.every.groupby(["model", "lr"], sort=False):
        runs = of_configuration(summary.runs, str(model), str(lr))
        row: dict[str, object] = {"model": model, "lr": lr, "repeats": runs["repeat"].nunique()}
        row["failed"] = "; ".join(
            f"repeat {run['repeat']}: {run['failed']}"
            for run in every.to_dict("records")
            if run["failed"]
        )
        row["epochs"] = every["epochs"].max()
        for metric in HISTORY_METRICS:
            row |= _prefixed(metric, spread(runs[metric].tolist()))
        for metric in metrics:
            row |= _prefixed(f"test_{metric}", summary.spread(str(model), str(lr), metric))
        chosen = [
            choice.name for choice in summary.choices if (choice.model, choice.lr) == (model, lr)
        ]
        row |= {
            "chance": summary.chance,
            "majority": summary.majority(),
            "varied": summary.varied(),
            "choices": ", ".join(chosen),
        }
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(schema))
    return frame, schema, _page(frame, summary, metrics)


def _prefixed(name: str, values: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_{part}": value for part, value in values.items()}


def _schema(metrics: Sequence[str]) -> Schema:
    columns = [*HISTORY_METRICS, *(f"test_{metric}" for metric in metrics)]
    return {
        "model": NAME,
        "lr": NAME,
        "repeats": INTEGER,
        "failed": TEXT,
        "epochs": INTEGER,
        **{f"{column}_{part}": NUMBER for column in columns for part in SPREAD},
        "chance": NUMBER,
        "majority": NUMBER,
        "varied": NAME,
        "choices": TEXT,
    }


def _page(frame: pd.DataFrame, summary: Summary, metrics: Sequence[str]) -> Page:
    """The table for reading: means, and the spread of the accuracies and scores."""
    tested = [f"test_{metric}" for metric in metrics]
    rows = []
    for row in frame.to_dict("records"):
        cells: dict[str, object] = {"model": paper_name(str(row["model"])), "lr": row["lr"]}
        cells["repeats"] = row["repeats"]
        if not summary.failed.empty:
            cells["failed"] = row["failed"]
        for metric in (*HISTORY_METRICS, *tested):
            title = metric.replace("_", " ").replace("uf1", "UF1").replace("uar", "UAR")
            cells[title] = share(row[f"{metric}_mean"])
            if metric == "validation_accuracy" or metric in tested:
                cells[f"{title} over repeats"] = spread_text(row, f"{metric}_")
        cells["chance"] = share(row["chance"])
        cells["chosen by"] = row["choices"]
        rows.append(cells)
    reasons = "; ".join(f"chosen by {one.name}: {one.reason}" for one in summary.choices)
    return Page(
        "All configurations of the grid",
        f"{summary.provenance()} Losses and accuracies in training and validation are those of "
        "the last epoch; the model after the last epoch is tested. UF1 and UAR are the F1-score "
        f"and the recall averaged over {len(summary.classes)} classes. Chance is "
        f"{summary.chance:.3f}, always naming the most frequent class of the test examples "
        f"{summary.majority():.3f}. No configuration is chosen by its test; {reasons}.",
        [("", pd.DataFrame(rows))],
    )
