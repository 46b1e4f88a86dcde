"""The nested choice: in each fold, the configuration that its own validation examples choose.

A choice by the mean over folds is not independent of the test examples, since those of one fold
validate others. Here nothing of a fold's test has a say in what is tested there.
"""

from collections.abc import Sequence

import pandas as pd

from fleeting.evaluation.choices import NESTED_LR, NESTED_MODEL
from fleeting.evaluation.runs import Run
from fleeting.evaluation.schemas import NESTED


def nested_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The configuration that is chosen in each repeat and fold (`schemas.NESTED`).

    It is the one with the highest validation UF1 of the tested epoch, then the lowest validation
    loss, then the first of the grid. Each repeat chooses by itself, among its own runs.

    Args:
        runs: those that finished, in grid order.
    """
    every = pd.concat(
        run.tested.assign(repeat=run.repeat, model=run.model, lr=run.lr) for run in runs
    )
    # Sorting by several columns keeps the order of equal rows.
    best = every.sort_values(["validation_uf1", "validation_loss"], ascending=[False, True])
    fold = ["repeat", "fold"]
    found = best.groupby(fold, sort=False).head(1).sort_values(fold)
    return found.rename(columns={"epoch": "tested_epoch"})[list(NESTED)].reset_index(drop=True)


def nested_runs(runs: Sequence[Run], table: pd.DataFrame) -> list[Run]:
    """A run for each repeat, made of the folds of those that were chosen; see `nested_table`."""
    by_name = {(run.model, run.lr, run.repeat): run for run in runs}
    made = []
    for repeat in table["repeat"].unique():
        rows = table[table["repeat"] == repeat]
        names = zip(rows["fold"], rows["model"], rows["lr"], strict=True)
        chosen = {fold: by_name[model, lr, repeat] for fold, model, lr in names}
        history = [run.history[run.history["fold"] == fold] for fold, run in chosen.items()]
        predictions = [
            run.predictions[run.predictions["fold"] == fold] for fold, run in chosen.items()
        ]
        made.append(
            Run(
                NESTED_MODEL,
                NESTED_LR,
                int(repeat),
                device=", ".join(sorted({run.device for run in chosen.values()})),
                history=pd.concat(history, ignore_index=True),
                predictions=pd.concat(predictions, ignore_index=True),
                tested_epoch={fold: run.tested_epoch[fold] for fold, run in chosen.items()},
                weights_moved={fold: run.weights_moved[fold] for fold, run in chosen.items()},
                redrawn=any(run.redrawn for run in chosen.values()),
                failed="",
            )
        )
    return made
