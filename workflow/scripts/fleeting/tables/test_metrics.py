"""Table 2: metrics on the test examples, for the paper's choice and for validation's."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import paper
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.report import rows_of_report
from fleeting.evaluation.results import Choice, Summary
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tsv import INTEGER, NAME, NUMBER, Schema

FILE = "table2_test_metrics"
PRINTED = True
CAPTION = (
    "Table 2 of the paper: precision, recall and F1-score on the test examples, for the (model, "
    "learning rate) that the paper chose and for the one with the highest validation accuracy, "
    "beside the paper's printed values. The macro average's recall is UAR, its F1-score is UF1. "
    "Every repeat's report is computed first and averaged cell by cell afterwards. Chance is one "
    "over the number of classes. The note below the table says how many repeats there are and what "
    "varied between them; their range is not a confidence interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
}
SETTINGS = ()
TEST_METRICS: Schema = {
    "choice": NAME,
    "model": NAME,
    "lr": NAME,
    "row": NAME,
    "metric": NAME,
    **dict.fromkeys(SPREAD, NUMBER),
    "repeats": INTEGER,
    "chance": NUMBER,
    "majority": NUMBER,
    "paper": NUMBER,
}


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """Every cell of the classification report of each choice, averaged over repeats.

    `chance` and `majority` (the share of the most frequent class of the test examples, which is
    the accuracy of always naming it) stand beside the accuracy only.
    """
    summary = Summary.of_files(files)
    rows = [row for choice in summary.choices for row in _rows(summary, choice)]
    frame = pd.DataFrame(rows, columns=list(TEST_METRICS))
    frame["paper"] = frame["paper"].astype(float)
    return frame, TEST_METRICS, _page(frame, summary)


def _rows(summary: Summary, choice: Choice) -> Iterator[dict[str, object]]:
    report = rows_of_report(summary, choice.model, choice.lr)
    for (row, metric), by_repeat in report.items():
        beside = (
            {"chance": summary.chance, "majority": summary.majority()}
            if metric == "accuracy"
            else {"chance": None, "majority": None}
        )
        yield {
            "choice": choice.name,
            "model": choice.model,
            "lr": choice.lr,
            "row": row,
            "metric": metric,
            **spread(list(by_repeat.values())),
            "repeats": len(by_repeat),
            **beside,
            "paper": paper.table_2(row, metric),
        }


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading: one part per choice, classes in rows, the paper's value after each."""
    parts = []
    for choice in summary.choices:
        own = frame[frame["choice"] == choice.name]
        heading = f"{choice.name}: {paper_name(choice.model)} at {choice.lr} ({choice.reason})"
        parts.append((heading, _part(own)))
    return Page(
        "Table 2: metrics on the test images",
        f"{summary.provenance()} Each repeat's classification report is averaged cell by cell. "
        "The accuracy stands in the recall column. The macro average's recall is UAR, its F1-score "
        f"is UF1, over {len(summary.classes)} classes. Chance is {summary.chance:.3f}, always "
        f"naming the most frequent class {summary.majority():.3f}. The paper's values are its "
        "table 2, for ResNet18 at 1e-05, without a spread; its accuracy row prints the accuracy "
        "in all columns.",
        parts,
    )


def _part(own: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, cells in own.groupby("row", sort=False):
        by_metric = {str(cell["metric"]): cell for cell in cells.to_dict("records")}
        row: dict[str, object] = {"class": name}
        for metric in paper.METRICS:
            # The report has no column for the accuracy: it goes under recall, which it is when
            # classes are weighted by their examples.
            shown = "accuracy" if name == "accuracy" and metric == "recall" else metric
            cell = by_metric.get(shown)
            row[metric] = "" if cell is None else share(cell["mean"])
            row[f"{metric} over repeats"] = "" if cell is None else spread_text(cell)
            row[f"paper's {metric}"] = "" if cell is None else share(cell["paper"], 2)
        support = by_metric.get("support")
        row["test examples"] = "" if support is None else f"{support['mean']:.0f}"
        row["repeats"] = int(cells["repeats"].iloc[0])
        rows.append(row)
    return pd.DataFrame(rows)
