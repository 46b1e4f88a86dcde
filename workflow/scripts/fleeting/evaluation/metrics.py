"""Table 2: metrics on the test images, for the paper's cell and for the one validation chooses."""

import pandas as pd

from fleeting.evaluation import paper
from fleeting.evaluation.collected import Collected, of_cell
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.spread import share, spread_text
from fleeting.tables import INTEGER, NAME, NUMBER, Schema

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


def table(collected: Collected) -> pd.DataFrame:
    """Every cell of the averaged classification report of each choice.

    `chance` and `majority` (the share of the most frequent class of the test images, which is
    the accuracy of always naming it) stand beside the accuracy only.
    """
    parts = []
    for choice in collected.choices:
        part = of_cell(collected.reports, choice.model, choice.lr).copy()
        part.insert(0, "choice", choice.name)
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    is_accuracy = frame["metric"] == "accuracy"
    frame["chance"] = pd.Series(collected.chance, frame.index).where(is_accuracy)
    frame["majority"] = pd.Series(collected.majority(), frame.index).where(is_accuracy)
    frame["paper"] = [
        paper.table_2(row, metric)
        for row, metric in zip(frame["row"], frame["metric"], strict=True)
    ]
    frame["paper"] = frame["paper"].astype(float)
    return frame[list(TEST_METRICS)]


def page(frame: pd.DataFrame, collected: Collected) -> Page:
    """The table for reading: a part a choice, classes in rows, the paper's value after each."""
    parts = []
    for choice in collected.choices:
        own = frame[frame["choice"] == choice.name]
        heading = f"{choice.name}: {paper_name(choice.model)} at {choice.lr} ({choice.reason})"
        parts.append((heading, _part(own)))
    return Page(
        "Table 2: metrics on the test images",
        f"{collected.provenance()} Each run's classification report is averaged cell by cell. "
        f"The accuracy stands in the recall column. Chance is {collected.chance:.3f}, always "
        f"naming the most frequent class {collected.majority():.3f}. The paper's values are its "
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
            # The accuracy has a column of its own in no report: it goes under recall, which it is
            # when classes are weighted by their images.
            shown = "accuracy" if name == "accuracy" and metric == "recall" else metric
            cell = by_metric.get(shown)
            row[metric] = "" if cell is None else share(cell["mean"])
            row[f"{metric} over repeats"] = "" if cell is None else spread_text(cell)
            row[f"paper's {metric}"] = "" if cell is None else share(cell["paper"], 2)
        support = by_metric.get("support")
        row["test images"] = "" if support is None else f"{support['mean']:.0f}"
        row["repeats"] = int(cells["repeats"].iloc[0])
        rows.append(row)
    return pd.DataFrame(rows)
