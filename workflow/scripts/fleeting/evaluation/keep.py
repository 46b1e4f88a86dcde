"""The models that outlive their runs where the config keeps the chosen ones only."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleeting import tables
from fleeting.evaluation.schemas import CHOICES, RUNS
from fleeting.files import whole
from fleeting.paths import run_folder


def keep(results: Path, experiment: str, grid: Mapping[str, Any], output: Path) -> None:
    """Copy the models of every repeat and fold of the chosen cells into one folder.

    Those of runs that failed are no models of anything.

    Args:
        results: the results folder.
        experiment: its name.
        grid: `repeats` and `folds` of the experiment.
        output: receives `{model}_lr{lr}_repeat{repeat}_fold{fold}.pt`.
    """
    folder = results / "experiments" / experiment
    choices = tables.read(folder / "evaluation" / "choices.tsv", CHOICES)
    runs = tables.read(folder / "evaluation" / "runs.tsv", RUNS)
    failed = set(
        runs.loc[runs["failed"] != "", ["model", "lr", "repeat", "fold"]].itertuples(
            index=False, name=None
        )
    )
    output.mkdir(parents=True, exist_ok=True)
    for model, lr in sorted(set(choices[["model", "lr"]].itertuples(index=False, name=None))):
        for repeat in range(1, grid["repeats"] + 1):
            for fold in grid["folds"]:
                if (model, lr, str(repeat), fold) in failed:
                    continue
                source = run_folder(results, experiment, model, lr, repeat, fold) / "model.pt"
                name = f"{model}_lr{lr}_repeat{repeat}_fold{fold}.pt"
                with whole(output / name) as unfinished:
                    shutil.copyfile(source, unfinished)
