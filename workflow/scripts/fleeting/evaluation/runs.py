"""One run's files, read and checked."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation import record
from fleeting.evaluation.grid import Grid
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.paths import run_folder


@dataclass(frozen=True)
class Run:
    """What one run left: its history, its predictions and what it says of itself."""

    model: str
    lr: str
    repeat: int
    fold: str
    classes: tuple[str, ...]
    device: str
    history: pd.DataFrame
    predictions: pd.DataFrame
    unseen: pd.DataFrame | None
    #: Why it ended early and was not tested; empty: it did not.
    failed: str = ""

    @property
    def name(self) -> str:
        """The run for reading."""
        fold = "" if self.fold == "1" else f", fold {self.fold}"
        return f"{self.model} at {self.lr}, repeat {self.repeat}{fold}"


def read_all(results: Path, experiment: str, grid: Grid) -> list[Run]:
    """Read every run of the grid, in grid order.

    A file that is missing or not whole, and runs whose classes differ, are a `UserError` that
    names the file.
    """
    runs: list[Run] = []
    for model, lr in grid.cells():
        for repeat in range(1, grid.repeats + 1):
            for fold in grid.folds:
                folder = run_folder(results, experiment, model, lr, repeat, fold)
                run = _read(folder, model, lr, repeat, fold)
                if runs and run.classes != runs[0].classes:
                    raise UserError(
                        f"{folder / 'run.json'}: the classes {', '.join(run.classes)} differ from "
                        f"{', '.join(runs[0].classes)} of the first run; train this run again"
                    )
                runs.append(run)
    for fold in grid.folds:
        _check_images([run for run in runs if run.fold == fold], results, experiment)
    tested = [run for run in runs if not run.failed]
    if len({run.unseen is None for run in tested}) > 1:
        run = next(run for run in tested if run.unseen is None)
        folder = run_folder(results, experiment, run.model, run.lr, run.repeat, run.fold)
        raise UserError(
            f"{folder / 'unseen_predictions.tsv'}: missing, though other runs of this experiment "
            "have theirs; run the test step again"
        )
    return runs


def _check_images(runs: list[Run], results: Path, experiment: str) -> None:
    """Every run of a fold has predicted the same images: a table cut at a line's end is whole."""
    for name in ("predictions", "unseen"):
        parts = [(run, getattr(run, name)) for run in runs if not run.failed]
        found = [(run, set(part["image"])) for run, part in parts if part is not None]
        every = set().union(*(images for _, images in found))
        for run, images in found:
            if images != every:
                file = "unseen_predictions.tsv" if name == "unseen" else "predictions.tsv"
                folder = run_folder(results, experiment, run.model, run.lr, run.repeat, run.fold)
                raise UserError(
                    f"{folder / file}: {len(images)} images, though the runs of this fold together "
                    f"have {len(every)}; delete it and give your command again"
                )


def _read(folder: Path, model: str, lr: str, repeat: int, fold: str) -> Run:
    facts = record.read(folder / "run.json")
    names = tuple(facts["classes"])
    failed = str(facts.get("failed") or "")
    return Run(
        model=model,
        lr=lr,
        repeat=repeat,
        fold=fold,
        classes=names,
        device=str(facts.get("device", "")),
        history=_read_history(folder / "history.tsv", facts.get("tested_epoch"), failed),
        predictions=_read_test(folder / "predictions.tsv", names, failed),
        unseen=_read_unseen(folder / "unseen_predictions.tsv", names),
        failed=failed,
    )


def _read_history(path: Path, last: int | None, failed: str) -> pd.DataFrame:
    history = tables.read(path, tables.HISTORY)
    if history.empty and not failed:
        raise UserError(f"{path}: no epoch; delete it and train this run again")
    history["epoch"] = history["epoch"].astype(int)
    for metric in HISTORY_METRICS:
        history[metric] = history[metric].replace("", "nan").astype(float)
    history = history.sort_values("epoch", ignore_index=True)
    if last is not None and history["epoch"].tolist() != list(range(1, last + 1)):
        raise UserError(
            f"{path}: its epochs are not 1 to {last}, the one that was tested; delete it and train "
            "this run again"
        )
    return history


def _read_test(path: Path, classes: tuple[str, ...], failed: str) -> pd.DataFrame:
    predictions = _read_predictions(path, classes)
    if predictions.empty and not failed:
        raise UserError(f"{path}: no image; the split's test part is empty, or the run broke off")
    return predictions


def _read_unseen(path: Path, classes: tuple[str, ...]) -> pd.DataFrame | None:
    """Predictions for unseen subjects; None where there are none (no file, or no row)."""
    predictions = _read_predictions(path, classes) if path.is_file() else None
    return None if predictions is None or predictions.empty else predictions


def _read_predictions(path: Path, classes: tuple[str, ...]) -> pd.DataFrame:
    predictions = tables.read(path, tables.PREDICTIONS)[list(tables.PREDICTIONS)]
    for column in ("label", "predicted"):
        unknown = sorted(set(predictions[column]) - set(classes))
        if unknown:
            raise UserError(f"{path}: {unknown[0]!r} in column {column!r} is no class of the run")
    return predictions
