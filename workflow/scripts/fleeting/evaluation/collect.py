"""All runs of an experiment, gathered into the tables that figures and tables are made from.

The paper, section 3: "Each model from 10 experiments are marginalized together to find the
average", and so are the test results. Here every number of a run (of a repeat's folds, pooled) is
computed first and averaged afterwards, so that its spread over the repeats is known.
"""

import logging
from collections.abc import Iterator
from itertools import groupby
from math import isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, confusion_matrix, f1_score

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.grid import Grid
from fleeting.evaluation.paper import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.runs import Run
from fleeting.evaluation.schemas import HISTORY_METRICS, SUMMARY_ROWS
from fleeting.evaluation.spread import spread


def write_all(every: list[Run], grid: Grid, folder: Path, allow_missing: bool = False) -> None:
    """Write every collected table of `schemas` into `folder`.

    Args:
        every: all runs of the grid.
        grid: their models, rates, repeats and folds.
        folder: receives the tables.
        allow_missing: whether means may be over fewer repeats than the grid has. A repeat of which
            a run failed is in the table of runs alone.
    """
    runs = finished(every, grid, allow_missing)
    one_a_run = run_table(every)
    repeat_reports = repeat_report_table(runs)
    for name, frame, schema in (
        ("runs", one_a_run, schemas.RUNS),
        ("curves", curve_table(runs), schemas.CURVES),
        ("repeat_reports", repeat_reports, schemas.REPEAT_REPORTS),
        ("reports", report_table(repeat_reports), schemas.REPORTS),
        ("confusions", confusion_table(runs), schemas.CONFUSIONS),
        ("unseen", unseen_table(runs), schemas.UNSEEN),
        ("choices", choice_table(run_table(runs), grid), schemas.CHOICES),
    ):
        tables.write(frame, folder / f"{name}.tsv", schema)


def finished(every: list[Run], grid: Grid, allow_missing: bool) -> list[Run]:
    """The runs of all repeats that no run failed of.

    Raises:
        UserError: a run failed and `allow_missing` is off, or too little is left.
    """
    failed = [run for run in every if run.failed]
    if not failed:
        return every
    shown = "; ".join(f"{run.name} ({run.failed})" for run in failed[:5])
    more = f"; and {len(failed) - 5} more" if len(failed) > 5 else ""
    what = f"{len(failed)} of {len(every)} runs failed: {shown}{more}."
    if not allow_missing:
        raise UserError(
            f"{what} A mean would silently be one of fewer repeats. Leave the rate or the model "
            "out of the grid, change the recipe, or set `allow_missing: true` in the config (or "
            "add `--config allow_missing=True`): every mean then says how many repeats it has. "
            "Until then, tables and figures that are there are those of the last complete grid."
        )
    logging.warning("%s They are in no mean.", what)
    gone = {(run.model, run.lr, run.repeat) for run in failed}
    left = [run for run in every if (run.model, run.lr, run.repeat) not in gone]
    model, lr, _ = _paper_choice(grid)
    if not any((run.model, run.lr) == (model, lr) for run in left):
        raise UserError(
            f"{what} No repeat is left of {model} at {lr}, the choice that is fixed beforehand "
            "(tables 2 and 3 are about it). Leave the rate out of the grid or change the recipe."
        )
    return left


def report(label: pd.Series, predicted: pd.Series, classes: tuple[str, ...]) -> dict[str, dict]:
    """scikit-learn's classification report: row (class or summary) to metric to value.

    A class without test images has support 0 and zeros elsewhere (`zero_division=0`).
    """
    cells = classification_report(
        label, predicted, labels=list(classes), output_dict=True, zero_division=0
    )
    return {
        row: {"accuracy": values} if row == "accuracy" else values for row, values in cells.items()
    }


def run_table(runs: list[Run]) -> pd.DataFrame:
    """One row a run: its last epoch, its test and its unseen subjects."""
    return pd.DataFrame([_run_row(run) for run in runs], columns=list(schemas.RUNS))


def _run_row(run: Run) -> dict[str, object]:
    label, predicted = run.predictions["label"], run.predictions["predicted"]
    classes = list(run.classes)
    macro_f1 = nan
    if not run.failed:
        macro_f1 = f1_score(label, predicted, labels=classes, average="macro", zero_division=0)
    return {
        "model": run.model,
        "lr": run.lr,
        "repeat": run.repeat,
        "fold": run.fold,
        "failed": run.failed,
        "epochs": len(run.history),
        # A run that did not fit into its device's memory has no epoch.
        **{
            metric: float(run.history[metric].iloc[-1]) if len(run.history) else nan
            for metric in HISTORY_METRICS
        },
        "lowest_validation_loss": float(run.history["validation_loss"].min()),
        "highest_validation_accuracy": float(run.history["validation_accuracy"].max()),
        "test_images": len(run.predictions),
        "test_accuracy": nan if run.failed else _accuracy(run.predictions),
        "test_macro_f1": float(macro_f1),
        "unseen_images": "" if run.unseen is None else len(run.unseen),
        "unseen_accuracy": nan if run.unseen is None else _accuracy(run.unseen),
        "device": run.device,
    }


def curve_table(runs: list[Run]) -> pd.DataFrame:
    """Losses and accuracies by cell and epoch, over the repeats (folds averaged first)."""
    rows = []
    for (model, lr), repeats in _cells(runs):
        every = pd.concat(
            [run.history.assign(repeat=run.repeat) for folds in repeats for run in folds]
        )
        # A diverged loss stays nan: it must not vanish in an average.
        averaged = every.groupby(["epoch", "repeat"]).mean(skipna=False)
        for epoch, part in averaged.groupby(level="epoch"):
            row = {"model": model, "lr": lr, "epoch": epoch, "repeats": len(part)}
            for metric in HISTORY_METRICS:
                for name, value in spread(part[metric].tolist()).items():
                    row[f"{metric}_{name}"] = value
            rows.append(row)
    return pd.DataFrame(rows, columns=list(schemas.CURVES))


def repeat_report_table(runs: list[Run]) -> pd.DataFrame:
    """Every cell of each repeat's classification report over its pooled folds."""
    rows = []
    for (model, lr), repeats in _cells(runs):
        for folds in repeats:
            pooled = pd.concat([run.predictions for run in folds])
            cells = report(pooled["label"], pooled["predicted"], folds[0].classes)
            for row in (*folds[0].classes, *SUMMARY_ROWS):
                for metric, value in cells[row].items():
                    rows.append((model, lr, folds[0].repeat, row, metric, float(value)))
    return pd.DataFrame(rows, columns=list(schemas.REPEAT_REPORTS))


def report_table(repeat_reports: pd.DataFrame) -> pd.DataFrame:
    """The classification reports, averaged cell by cell over the repeats."""
    keys = ["model", "lr", "row", "metric"]
    rows = [
        {**dict(zip(keys, key, strict=True)), **spread(list(part["value"])), "repeats": len(part)}
        for key, part in repeat_reports.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=list(schemas.REPORTS))


def confusion_table(runs: list[Run]) -> pd.DataFrame:
    """Confusion matrices over the repeats: counts, and shares of each label's images."""
    rows = []
    for (model, lr), repeats in _cells(runs):
        classes = repeats[0][0].classes
        pooled = [pd.concat([run.predictions for run in folds]) for folds in repeats]
        counts = np.stack(
            [
                confusion_matrix(part["label"], part["predicted"], labels=list(classes))
                for part in pooled
            ]
        ).astype(float)
        totals = counts.sum(axis=2, keepdims=True)
        rates = np.divide(counts, totals, out=np.full_like(counts, nan), where=totals > 0)
        for i, label in enumerate(classes):
            for j, predicted in enumerate(classes):
                count = spread(counts[:, i, j].tolist())
                rate = spread(rates[:, i, j].tolist())
                rows.append(
                    {
                        "model": model,
                        "lr": lr,
                        "label": label,
                        "predicted": predicted,
                        "count_mean": count["mean"],
                        "count_sd": count["sd"],
                        **{f"rate_{name}": value for name, value in rate.items()},
                        "repeats": len(repeats),
                    }
                )
    return pd.DataFrame(rows, columns=list(schemas.CONFUSIONS))


def unseen_table(runs: list[Run]) -> pd.DataFrame:
    """Accuracy on apex frames of subjects that no split holds, over the repeats; maybe empty."""
    rows = []
    for (model, lr), repeats in _cells(runs):
        pooled = [
            pd.concat([run.unseen for run in folds if run.unseen is not None])
            for folds in repeats
            if folds[0].unseen is not None
        ]
        if not pooled:
            continue
        images = sorted(set(pooled[0]["image"]))
        accuracy = spread([_accuracy(part) for part in pooled])
        rows.append(
            {
                "model": model,
                "lr": lr,
                "repeats": len(pooled),
                "images": len(images),
                "subjects": len({"/".join(image.split("/")[:2]) for image in images}),
                "chance": 1 / len(repeats[0][0].classes),
                **{f"accuracy_{name}": value for name, value in accuracy.items()},
            }
        )
    return pd.DataFrame(rows, columns=list(schemas.UNSEEN))


def choice_table(one_a_run: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The paper's fixed cell, and the cell that the validation images choose.

    `validation` is the cell with the highest mean validation accuracy at the last epoch; among
    equals, the first in the grid. A cell that lost repeats is chosen only if every cell did.
    """
    model, lr, reason = _paper_choice(grid)
    cells = one_a_run.groupby(["model", "lr"])
    means = cells["validation_accuracy"].mean(skipna=False)
    counts = cells["repeat"].nunique()
    whole = [cell for cell in grid.cells() if counts.get(cell) == grid.repeats]
    # Rounded, so that the order of a sum never decides between equal cells.
    ranked = [
        (round(float(means[cell]), 9), cell)
        for cell in whole or [cell for cell in grid.cells() if cell in counts.index]
    ]
    known = [pair for pair in ranked if not isnan(pair[0])]
    best, chosen = max(known, key=lambda pair: pair[0]) if known else ranked[0]
    why = (
        f"highest mean validation accuracy at the last epoch ({best:.3f}, {counts[chosen]} repeats)"
        if known
        else "first cell of the grid: there is no validation accuracy to choose by"
    )
    return pd.DataFrame(
        [("paper", model, lr, reason), ("validation", *chosen, why)],
        columns=list(schemas.CHOICES),
    )


def _paper_choice(grid: Grid) -> tuple[str, str, str]:
    rates = [lr for lr in grid.lrs if float(lr) == float(PAPER_LR)]
    if PAPER_MODEL in grid.models and rates:
        return PAPER_MODEL, rates[0], "the paper's own choice (section 4.3), fixed beforehand"
    model, lr = grid.models[0], grid.lrs[-1]
    reason = "first model and last rate: the paper's ResNet18 at 1e-05 is not in this grid"
    return model, lr, reason


def _cells(runs: list[Run]) -> Iterator[tuple[tuple[str, str], list[list[Run]]]]:
    """Runs by cell, then by repeat; a repeat holds its folds."""
    for cell, group in groupby(runs, key=lambda run: (run.model, run.lr)):
        yield cell, [list(folds) for _, folds in groupby(group, key=lambda run: run.repeat)]


def _accuracy(predictions: pd.DataFrame) -> float:
    return float((predictions["label"] == predictions["predicted"]).mean())
