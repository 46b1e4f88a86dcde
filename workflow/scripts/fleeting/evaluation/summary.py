"""The runs of an experiment as the few tables that other tables and figures are made from.

The paper, section 3: "Each model from 10 experiments are marginalized together to find the
average", and so are the test results. Here every number of a run (its folds pooled) is computed
first and averaged over repeats afterwards, so that its spread over the repeats is known.
"""

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.choices import choice_table, paper_choice
from fleeting.evaluation.grid import Grid
from fleeting.evaluation.runs import Run, read_all, read_expected
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.evaluation.scores import indices, score_table
from fleeting.evaluation.spread import spread


def run(
    *,
    results: Path,
    experiment: str,
    grid: dict[str, Any],
    parts: int,
    metrics: list[str],
    allow_missing: bool,
    gate: Path,
    split: Path,
    folds: Path,
    scores: Path,
    runs: Path,
    curves: Path,
    confusions: Path,
    choices: Path,
) -> None:
    """Summarise the runs of an experiment.

    Args:
        results: the results folder, which holds the runs.
        experiment: its name.
        grid: the config's block: `models`, `lrs` and `repeats`.
        parts: how many jobs shared the folds of a run.
        metrics: the experiment's metrics.
        allow_missing: whether means may be over fewer repeats than the grid has. A run that failed
            is in the table of runs alone.
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        scores: receives every metric of every group of predictions (`tsv.SCORES`).
        runs: receives one row per run (`schemas.RUNS`).
        curves: receives losses and accuracies by epoch (`schemas.CURVES`).
        confusions: receives the confusion matrices (`schemas.CONFUSIONS`).
        choices: receives the paper's and validation's choice (`schemas.CHOICES`).
    """
    block = Grid.of(grid)
    expected = read_expected(gate, split, folds)
    every = read_all(results, experiment, block, parts, expected)
    done = finished(every, block, allow_missing)
    scored = score_table(done, expected, metrics)
    one_a_run = run_table(every, scored)
    for path, frame, schema in (
        (scores, scored, tsv.SCORES),
        (runs, one_a_run, schemas.RUNS),
        (curves, curve_table(done), schemas.CURVES),
        (confusions, confusion_table(done, expected.classes), schemas.CONFUSIONS),
        (choices, choice_table(one_a_run[one_a_run["failed"] == ""], block), schemas.CHOICES),
    ):
        tsv.write(frame, path, schema)
    logging.info(
        "%d runs of %s summarised, %d of them failed",
        len(every),
        experiment,
        len(every) - len(done),
    )


def finished(every: Sequence[Run], grid: Grid, allow_missing: bool) -> list[Run]:
    """The runs that did not fail.

    Raises:
        UserError: a run failed and `allow_missing` is off, or too little is left.
    """
    failed = [run for run in every if run.failed]
    if not failed:
        return list(every)
    shown = "; ".join(f"{run.name} ({run.failed})" for run in failed[:5])
    more = f"; and {len(failed) - 5} more" if len(failed) > 5 else ""
    what = f"{len(failed)} of {len(every)} runs failed: {shown}{more}."
    if not allow_missing:
        raise UserError(
            f"{what} Means would be over fewer repeats than the grid has. Leave the rate or the "
            "model out of the grid, change the recipe, or set `allow_missing: true` in the config "
            "(or add `--config allow_missing=True`): every mean then says how many repeats it has. "
            "Until then, existing tables and figures are those of the last complete grid."
        )
    logging.warning("%s They are in no mean.", what)
    left = [run for run in every if not run.failed]
    model, lr, _ = paper_choice(grid)
    if not any((run.model, run.lr) == (model, lr) for run in left):
        raise UserError(
            f"{what} No repeat is left of {model} at {lr}, the choice that is fixed beforehand "
            "(tables 2 and 3 are about it). Leave the rate out of the grid or change the recipe."
        )
    return left


def run_table(runs: Sequence[Run], scores: pd.DataFrame) -> pd.DataFrame:
    """One row per run: its last epoch, averaged over folds, and its test (`schemas.RUNS`)."""
    overall = scores[scores["group"] == "all"]
    value = dict(
        zip(
            overall[["model", "lr", "repeat", "metric"]].itertuples(index=False, name=None),
            overall["value"],
            strict=True,
        )
    )
    rows = []
    for run in runs:
        folds = run.history.groupby("fold")
        last = folds.tail(1)
        tested = {
            f"test_{metric}": value.get((run.model, run.lr, run.repeat, metric), nan)
            for metric in ("accuracy", "uf1", "uar")
        }
        rows.append(
            {
                "model": run.model,
                "lr": run.lr,
                "repeat": run.repeat,
                "folds": run.history["fold"].nunique(),
                "redrawn": int(run.redrawn),
                "failed": run.failed,
                # A run that did not fit into its device's memory has no epoch.
                "epochs": int(run.history["epoch"].max()) if len(run.history) else 0,
                **{metric: last[metric].mean(skipna=False) for metric in HISTORY_METRICS},
                "lowest_validation_loss": folds["validation_loss"].min().mean(skipna=False),
                "highest_validation_accuracy": (
                    folds["validation_accuracy"].max().mean(skipna=False)
                ),
                "test_examples": len(run.predictions),
                **{name: float(number or nan) for name, number in tested.items()},
                "device": run.device,
            }
        )
    return pd.DataFrame(rows, columns=list(schemas.RUNS))


def curve_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Losses and accuracies by configuration and epoch, over the repeats (folds averaged first)."""
    rows = []
    for (model, lr), repeats in _configurations(runs):
        every = pd.concat([run.history.assign(repeat=run.repeat) for run in repeats])
        # A diverged loss stays NaN: it must not vanish in an average.
        averaged = every.groupby(["epoch", "repeat"])[list(HISTORY_METRICS)].mean(skipna=False)
        for epoch, part in averaged.groupby(level="epoch"):
            row = {"model": model, "lr": lr, "epoch": epoch, "repeats": len(part)}
            for metric in HISTORY_METRICS:
                for name, value in spread(part[metric].tolist()).items():
                    row[f"{metric}_{name}"] = value
            rows.append(row)
    return pd.DataFrame(rows, columns=list(schemas.CURVES))


def confusion_table(runs: Sequence[Run], classes: Sequence[str]) -> pd.DataFrame:
    """Confusion matrices over the repeats: counts, and shares of each label's examples."""
    rows = []
    for (model, lr), repeats in _configurations(runs):
        counts = np.zeros((len(repeats), len(classes), len(classes)))
        for matrix, run in zip(counts, repeats, strict=True):
            np.add.at(matrix, indices(run.predictions, classes), 1)
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


def _configurations(runs: Sequence[Run]) -> Iterator[tuple[tuple[str, str], list[Run]]]:
    for configuration, group in groupby(runs, key=lambda run: (run.model, run.lr)):
        yield configuration, list(group)
