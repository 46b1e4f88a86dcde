"""One row a cell of the grid, all of them: tables/all_runs.tsv."""

from math import nan

import pandas as pd

from fleeting.evaluation.collected import Collected, of_cell
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import HISTORY_METRICS, SPREAD
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tables import INTEGER, NAME, NUMBER, TEXT, Schema

_METRICS = (*HISTORY_METRICS, "test_accuracy", "test_macro_f1")
ALL_RUNS: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeats": INTEGER,
    "failed": TEXT,
    "epochs": INTEGER,
    **{f"{metric}_{name}": NUMBER for metric in _METRICS for name in SPREAD},
    "chance": NUMBER,
    "majority": NUMBER,
    "varied": NAME,
    "choices": TEXT,
}


def table(collected: Collected) -> pd.DataFrame:
    """Every cell: losses and accuracies of the last epoch, and the test, over the repeats.

    `failed` lists the repeats that are in no mean, and why.
    """
    rows = []
    for (model, lr), every in collected.every.groupby(["model", "lr"], sort=False):
        runs = of_cell(collected.runs, str(model), str(lr))
        row: dict[str, object] = {"model": model, "lr": lr}
        row["repeats"] = runs["repeat"].nunique()
        row["failed"] = "; ".join(
            f"repeat {run['repeat']}: {run['failed']}"
            for run in every.to_dict("records")
            if run["failed"]
        )
        row["epochs"] = every["epochs"].max()
        for metric in HISTORY_METRICS:
            by_repeat = runs.groupby("repeat")[metric].mean(skipna=False)
            row |= {f"{metric}_{name}": value for name, value in spread(by_repeat.tolist()).items()}
        row |= _tested(collected, str(model), str(lr))
        chosen = [
            choice.name for choice in collected.choices if (choice.model, choice.lr) == (model, lr)
        ]
        row |= {
            "chance": collected.chance,
            "majority": collected.majority(),
            "varied": _varied(collected),
            "choices": ", ".join(chosen),
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=list(ALL_RUNS))


def _tested(collected: Collected, model: str, lr: str) -> dict[str, float]:
    cell = of_cell(collected.reports, model, lr)
    if cell.empty:
        return {f"{metric}_{part}": nan for metric in _METRICS[-2:] for part in SPREAD}
    found: dict[str, float] = {}
    for name, row, metric in (
        ("test_accuracy", "accuracy", "accuracy"),
        ("test_macro_f1", "macro avg", "f1-score"),
    ):
        values = cell[(cell["row"] == row) & (cell["metric"] == metric)].iloc[0]
        found |= {f"{name}_{part}": float(values[part]) for part in SPREAD}
    return found


def _varied(collected: Collected) -> str:
    if collected.repeats == 1:
        return "nothing: one repeat"
    kept = "one split" if collected.folds == 1 else f"the same {collected.folds} folds"
    return f"initial weights (with pretrained ones: the head's only), order of images; {kept}"


def page(frame: pd.DataFrame, collected: Collected) -> Page:
    """The table for reading: means, and the spread of the two accuracies that matter."""
    rows = []
    for row in frame.to_dict("records"):
        shown: dict[str, object] = {"model": paper_name(str(row["model"])), "lr": row["lr"]}
        shown["repeats"] = row["repeats"]
        if not collected.failed.empty:
            shown["failed"] = row["failed"]
        for metric in _METRICS:
            title = metric.replace("_", " ").replace("macro f1", "macro F1")
            shown[title] = share(row[f"{metric}_mean"])
            if metric in ("validation_accuracy", "test_accuracy"):
                shown[f"{title} over repeats"] = spread_text(row, f"{metric}_")
        shown["chance"] = share(row["chance"])
        shown["chosen by"] = row["choices"]
        rows.append(shown)
    reasons = "; ".join(f"chosen by {one.name}: {one.reason}" for one in collected.choices)
    return Page(
        "All cells of the grid",
        f"{collected.provenance()} Losses and accuracies in training and validation are those of "
        f"the last epoch; the model after the last epoch is tested. Chance is "
        f"{collected.chance:.3f}, always naming the most frequent class of the test images "
        f"{collected.majority():.3f}. The test chooses no cell; {reasons}.",
        [("", pd.DataFrame(rows))],
    )
