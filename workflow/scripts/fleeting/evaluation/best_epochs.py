"""The score that could have been claimed by choosing the epoch on the test set, from traces.

No other module reads a trace: what it holds are predictions of test examples between the epochs,
and whatever is chosen by them is chosen on the test set.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.best_of_runs import best_so_far, unit_counts
from fleeting.evaluation.runs import Run
from fleeting.evaluation.schemas import BEST_EPOCHS
from fleeting.evaluation.scores import CLASS_AVERAGES
from fleeting.paths import sha256


def best_epoch_table(
    runs: Sequence[Run],
    parts: Sequence[Sequence[Path]],
    classes: Sequence[str],
    unit: str,
) -> pd.DataFrame:
    """One row per run and metric (`schemas.BEST_EPOCHS`).

    `last` is the score after the last epoch, `best_for_all` that after the one epoch
    (`epoch_for_all`) with the highest score of all folds together, and `best_for_each` that of the
    best epoch for each unit, the one with the most correct predictions of it. The earliest epoch
    wins ties.

    Args:
        runs: the runs that finished.
        parts: the folders of each run's parts.
        classes: the experiment's.
        unit: what an epoch is chosen for, see `kept_apart.unit_of`.
    """
    rows = []
    for run, folders in zip(runs, parts, strict=True):
        traces = [read_trace(folder) for folder in folders]
        known = ["fold", "example", "label", "person"]
        trace = pd.concat(traces).merge(run.predictions[known], on=known[:3], validate="m:1")
        counts = np.stack(
            [unit_counts(part, classes, unit) for _, part in trace.groupby("epoch", sort=True)]
        )
        scored = np.flatnonzero(counts[0].sum(axis=(0, 2))).tolist()
        best = best_so_far(counts, np.arange(len(counts)))[-1].astype(float)
        by_epoch = counts.sum(axis=1).astype(float)
        for metric, score in CLASS_AVERAGES.items():
            values = score(by_epoch, scored)
            rows.append(
                {
                    "model": run.model,
                    "lr": run.lr,
                    "repeat": run.repeat,
                    "unit": unit,
                    "epochs": len(values),
                    "metric": metric,
                    "last": values[-1],
                    "best_for_all": values.max(),
                    "epoch_for_all": int(values.argmax()) + 1,
                    "best_for_each": float(score(best, scored)),
                }
            )
    return pd.DataFrame(rows, columns=list(BEST_EPOCHS))


def read_trace(folder: Path) -> pd.DataFrame:
    """The trace of a part of a run, which run.json has the digest of.

    Raises:
        UserError: it is missing, or is of another run than run.json.
    """
    path = folder / "trace.tsv"
    stated = json.loads((folder / "run.json").read_text(encoding="utf-8")).get("trace_sha256")
    if not path.is_file() or sha256(path) != stated:
        raise UserError(
            f"{path} is missing or not the one that run.json beside it describes; delete "
            f"{folder} and rerun the same command"
        )
    return schemas.read(path, tsv.TRACE)
