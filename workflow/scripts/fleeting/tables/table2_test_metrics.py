"""Table 2: metrics on the test examples, for the paper's choice and for those by validation."""

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import intervals, paper_values, verdict
from fleeting.evaluation.intervals import Interval
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text, spread, spread_text
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.scores import class_group
from fleeting.evaluation.summary import REPORT, Choice, Summary

FORMATS = ("md", "tex")
CAPTION = (
    "Table 2 of the paper: precision, recall and F1-score on the test examples, for the (model, "
    "learning rate) that the paper chose and for the one with the highest validation accuracy "
    "(and, with several folds, for each fold's own choice by its validation UF1, called nested), "
    "beside the paper's printed values. The macro average's recall is UAR, its F1-score is UF1. "
    "Every repeat's report is computed first and averaged cell by cell afterwards. Chance is one "
    "over the number of classes. The note below the table says how many repeats there are and what "
    "varied between them; their range is not a confidence interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
    "baseline_counts": "experiments/{experiment}/evaluation/baseline_counts.tsv",
}
SETTINGS = ()
#: A cell that a row does not have.
_NOTHING = {**dict.fromkeys((*SPREAD, "paper"), nan), **intervals.columns(None)}


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Every cell of the classification report of each choice, averaged over repeats.

    `chance` and `majority` (the share of the most frequent class of the test examples, which is
    the accuracy of always naming it) stand beside the accuracy only.
    """
    summary = Summary(files)
    rows = []
    for choice in summary.choices:
        for (row, metric), values in summary.report(choice.model, choice.lr).items():
            is_accuracy = metric == "accuracy"
            rows.append(
                {
                    "choice": choice.name,
                    "model": choice.model,
                    "lr": choice.lr,
                    "row": row,
                    "metric": metric,
                    **spread(list(values.values())),
                    **intervals.columns(_interval(summary, choice, row, metric)),
                    "repeats": len(values),
                    "chance": summary.chance if is_accuracy else nan,
                    "majority": summary.majority if is_accuracy else nan,
                    "paper": paper_values.table_2(row, metric),
                }
            )
    frame = pd.DataFrame(rows)
    return frame, _page(frame, summary)


def _interval(summary: Summary, choice: Choice, row: str, column: str) -> Interval | None:
    """The interval of a cell: there is one of accuracy, UF1 and UAR, and of a class's."""
    group = {"accuracy": "all", "macro avg": "all"}.get(row, class_group(row))
    metric = REPORT.get(column, column)
    return summary.interval(choice.model, choice.lr, metric, group)


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading: one part per choice, classes in rows, the paper's value after each."""
    parts = []
    for choice in summary.choices:
        own = frame[frame["choice"] == choice.name]
        parts.append((f"{choice.title} ({choice.reason})", _part(own)))
    return Page(
        "Table 2: metrics on the test images",
        f"{verdict.note(summary)} Each repeat's classification report is averaged cell by cell. "
        "The accuracy stands in the recall column. The macro average's recall is UAR, its F1-score "
        f"is UF1, over {len(summary.classes)} classes. Chance is {summary.chance:.3f}, always "
        f"naming the most frequent class {summary.majority:.3f}. The paper's values are its "
        "table 2, for ResNet18 at 1e-05, without a spread; its accuracy row prints the accuracy "
        "in all columns.",
        parts,
    )


def _part(own: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, cells in own.groupby("row", sort=False):
        by_metric = cells.set_index("metric").to_dict("index")
        # The report has no column for the accuracy: it goes under recall, which it is when classes
        # are weighted by their examples.
        if "accuracy" in by_metric:
            by_metric["recall"] = by_metric["accuracy"]
        row: dict[str, object] = {"class": name}
        for metric in paper_values.METRICS:
            cell = by_metric.get(metric, _NOTHING)
            row[metric] = number_text(cell["mean"])
            row[f"{metric} over repeats"] = spread_text(cell)
            if metric in ("recall", "f1-score"):
                ends = cell["interval_low"], cell["interval_high"], cell["interval"]
                row[f"{metric}, 95% interval"] = intervals.text(*ends)
            row[f"paper's {metric}"] = number_text(cell["paper"], 2)
        row["test examples"] = number_text(by_metric.get("support", _NOTHING)["mean"], 0)
        row["repeats"] = int(cells["repeats"].iloc[0])
        rows.append(row)
    return pd.DataFrame(rows)
