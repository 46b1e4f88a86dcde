"""The runs of an experiment as the few tables that other tables and figures are made from.

The paper, section 3: "Each model from 10 experiments are marginalized together to find the
average", and so are the test results. Here every number of a run (its folds pooled) is computed
first and averaged over repeats afterwards, so that its spread over the repeats is known.
"""

import logging
from collections.abc import Sequence
from itertools import groupby
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.best_epochs import best_epoch_table
from fleeting.evaluation.best_of_runs import best_of_table
from fleeting.evaluation.choices import choice_table, paper_choice
from fleeting.evaluation.interval_table import interval_table
from fleeting.evaluation.nested import nested_runs, nested_table
from fleeting.evaluation.paired import count_by_subject
from fleeting.evaluation.repeats import spread
from fleeting.evaluation.runs import Grid, Run, read_all, read_expected
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.evaluation.scores import indices, score_table
from fleeting.paths import run_folder


def run(
    *,
    results: Path,
    experiment: str,
    grid: Grid,
    parts: int,
    metrics: list[str],
    allow_missing: bool,
    trace: bool,
    gate: Path,
    split: Path,
    folds: Path,
    scores: Path,
    runs: Path,
    curves: Path,
    confusions: Path,
    choices: Path,
    nested: Path,
    intervals: Path,
    subject_counts: Path,
    best_of_runs: Path,
    best_epochs: Path,
) -> None:
    """Summarise the runs of an experiment.

    Args:
        results: the results folder, which holds the runs.
        experiment: its name.
        grid: the config's block.
        parts: how many jobs shared the folds of a run.
        metrics: the experiment's metrics.
        allow_missing: whether means may be over fewer repeats than the grid has. A run that failed
            is in the table of runs alone.
        trace: whether the runs have traces.
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        scores: receives every metric of every group of predictions (`tsv.SCORES`).
        runs: receives one row per run (`schemas.RUNS`).
        curves: receives losses and accuracies by epoch (`schemas.CURVES`).
        confusions: receives the confusion matrices (`schemas.CONFUSIONS`).
        choices: receives the paper's, validation's and the nested choice (`schemas.CHOICES`).
        nested: receives what is chosen inside each fold (`schemas.NESTED`); without rows where
            there is a single fold or configuration, so that no choice is nested.
        intervals: receives the intervals of the scores (`schemas.INTERVALS`).
        subject_counts: receives the predictions counted by subject (`schemas.SUBJECT_COUNTS`).
        best_of_runs: receives what the best of the runs would have claimed
            (`schemas.BEST_OF_RUNS`).
        best_epochs: receives what choosing the epoch would have claimed (`schemas.BEST_EPOCHS`).
    """
    expected = read_expected(gate, split, folds)
    every = read_all(results, experiment, grid, parts, expected)
    done = finished(every, grid, allow_missing)
    by_fold = pd.DataFrame(columns=list(schemas.NESTED))
    if len(expected.repeat_of) > 1 and len(grid.configurations()) > 1:
        by_fold = nested_table(done)
    tested = [*done, *nested_runs(done, by_fold)]
    scored = score_table(tested, expected.classes, metrics)
    by_run = run_table([*every, *tested[len(done) :]], scored)
    of_grid = by_run.iloc[: len(every)]
    chosen = choice_table(of_grid[of_grid["failed"] == ""], grid, by_fold)
    tsv.write(scored, scores, tsv.SCORES)
    tsv.write(by_run, runs, schemas.RUNS)
    tsv.write(curve_table(done), curves, schemas.CURVES)
    tsv.write(confusion_table(tested, expected.classes), confusions, schemas.CONFUSIONS)
    tsv.write(chosen, choices, schemas.CHOICES)
    tsv.write(by_fold, nested, schemas.NESTED)
    tsv.write(interval_table(tested, expected.classes, metrics), intervals, schemas.INTERVALS)
    tsv.write(subject_count_table(tested), subject_counts, schemas.SUBJECT_COUNTS)
    claimed = best_of_table(done, expected.classes, expected.unit)
    tsv.write(claimed, best_of_runs, schemas.BEST_OF_RUNS)
    traced = done if trace else []
    folders = [
        [
            run_folder(results, experiment, run.model, run.lr, run.repeat, part)
            for part in range(1, parts + 1)
        ]
        for run in traced
    ]
    by_epoch = best_epoch_table(traced, folders, expected.classes, expected.unit)
    tsv.write(by_epoch, best_epochs, schemas.BEST_EPOCHS)
    failed = len(every) - len(done)
    logging.info("%d runs of %s summarised, %d of them failed", len(every), experiment, failed)


def finished(every: Sequence[Run], grid: Grid, allow_missing: bool) -> list[Run]:
    """The runs that did not fail.

    Raises:
        UserError: a run failed and `allow_missing` is off, or too little is left.
    """
    left = [run for run in every if not run.failed]
    if len(left) == len(every):
        return left
    failed = [f"{run.name} ({run.failed})" for run in every if run.failed]
    more = f"; and {len(failed) - 5} more" if len(failed) > 5 else ""
    what = f"{len(failed)} of {len(every)} runs failed: {'; '.join(failed[:5])}{more}."
    if not allow_missing:
        raise UserError(
            f"{what} Means would be over fewer repeats than the grid has. Leave the rate or the "
            "model out of the grid, change the recipe, or set `allow_missing: true` in the config "
            "(or add `--config allow_missing=True`): every mean then says how many repeats it has. "
            "Until then, existing tables and figures are those of the last complete grid."
        )
    logging.warning("%s They are in no mean.", what)
    model, lr, _ = paper_choice(grid)
    if not any((run.model, run.lr) == (model, lr) for run in left):
        raise UserError(
            f"{what} No repeat is left of {model} at {lr}, the choice that is fixed beforehand "
            "(tables 2 and 3 are about it). Leave the rate out of the grid or change the recipe."
        )
    return left


def run_table(runs: Sequence[Run], scores: pd.DataFrame) -> pd.DataFrame:
    """One row per run: its last and tested epochs, averaged over folds, and its test.

    See `schemas.RUNS`.
    """
    rows = []
    for run in runs:
        folds = run.history.groupby("fold")
        at_test = ["epoch", "train_accuracy", "validation_accuracy"]
        tested = run.tested[at_test].mean(skipna=False).add_prefix("tested_")
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
                **folds.tail(1)[list(HISTORY_METRICS)].mean(skipna=False),
                "lowest_validation_loss": folds["validation_loss"].min().mean(skipna=False),
                "highest_validation_accuracy": (
                    folds["validation_accuracy"].max().mean(skipna=False)
                ),
                **tested,
                "weights_moved": np.mean([*run.weights_moved.values()] or nan),
                "test_examples": len(run.predictions),
                "device": run.device,
            }
        )
    name = ["model", "lr", "repeat"]
    tests = scores[scores["group"] == "all"].pivot(index=name, columns="metric", values="value")
    tests = tests[["accuracy", "uf1", "uar"]].astype(float).add_prefix("test_")
    return pd.DataFrame(rows).merge(tests, how="left", left_on=name, right_index=True)


def curve_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Losses and accuracies by configuration and epoch, over the repeats (folds averaged first)."""
    history = pd.concat(
        run.history.assign(model=run.model, lr=run.lr, repeat=run.repeat) for run in runs
    )
    one_epoch = ["model", "lr", "epoch"]
    grouped = history.groupby([*one_epoch, "repeat"], sort=False)[list(HISTORY_METRICS)]
    rows = []
    # A diverged loss stays NaN: it must not vanish in an average.
    averaged = grouped.mean(skipna=False)
    for names, part in averaged.groupby(level=one_epoch, sort=False):
        row = {**dict(zip(one_epoch, names, strict=True)), "repeats": len(part)}
        for metric in HISTORY_METRICS:
            for name, value in spread(part[metric].tolist()).items():
                row[f"{metric}_{name}"] = value
        rows.append(row)
    return pd.DataFrame(rows)


def confusion_table(runs: Sequence[Run], classes: Sequence[str]) -> pd.DataFrame:
    """Confusion matrices over the repeats: counts, and shares of each label's examples."""
    rows = []
    for (model, lr), group in groupby(runs, key=lambda run: (run.model, run.lr)):
        repeats = list(group)
        counts = np.zeros((len(repeats), len(classes), len(classes)))
        for matrix, run in zip(counts, repeats, strict=True):
            np.add.at(matrix, indices(run.predictions, classes), 1)
        totals = counts.sum(axis=2, keepdims=True)
        rates = np.divide(counts, totals, out=np.full_like(counts, nan), where=totals > 0)
        for i, label in enumerate(classes):
            for j, predicted in enumerate(classes):
                count, rate = spread(counts[:, i, j].tolist()), spread(rates[:, i, j].tolist())
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
    return pd.DataFrame(rows)


def subject_count_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The predictions of runs, counted by subject (`schemas.SUBJECT_COUNTS`)."""
    counted = [
        count_by_subject(run.predictions.assign(repeat=run.repeat)).assign(
            model=run.model, lr=run.lr
        )
        for run in runs
    ]
    return pd.concat(counted, ignore_index=True)
