"""The files of every run, read, its parts joined, and checked against the split."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import run_info
from fleeting.evaluation.grid import Grid
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.paths import run_folder, sha256


@dataclass(frozen=True)
class Expected:
    """What the split asks of every run.

    Attributes:
        classes: the experiment's classes, sorted.
        gate_sha256: the sha256 of split.json, which every run names.
        tests: the test examples of each fold: example, label, database and phase.
        repeat_of: the repeat that each fold is for, None where it is for all.
    """

    classes: tuple[str, ...]
    gate_sha256: str
    tests: Mapping[int, pd.DataFrame]
    repeat_of: Mapping[int, int | None]

    @cached_property
    def keys(self) -> dict[int, set[tuple[int, str, str]]]:
        """The fold, name and label of every test example, by fold."""
        return {
            fold: {(fold, *row) for row in zip(part["example"], part["label"], strict=True)}
            for fold, part in self.tests.items()
        }

    def folds(self, repeat: int) -> list[int]:
        """The folds of a repeat, sorted."""
        return sorted(fold for fold, of in self.repeat_of.items() if of in (None, repeat))


@dataclass(frozen=True)
class Run:
    """What the parts of one run left.

    Attributes:
        history: HISTORY with numbers as numbers, sorted by fold and epoch.
        predictions: fold, example, label and predicted, of all folds; empty if the run failed.
        redrawn: whether its folds are for this repeat alone.
        failed: why it failed; empty if it did not.
    """

    model: str
    lr: str
    repeat: int
    device: str
    history: pd.DataFrame
    predictions: pd.DataFrame
    redrawn: bool = False
    failed: str = ""

    @property
    def name(self) -> str:
        """The run for reading."""
        return f"{self.model} at {self.lr}, repeat {self.repeat}"


def read_expected(gate: Path, split: Path, folds: Path) -> Expected:
    """What split.json, split.tsv and folds.tsv ask of the runs."""
    classes = tuple(run_info.read(gate)["classes"])
    numbers = tsv.read_rows(folds, tsv.FOLDS)
    rows = tsv.read(split, tsv.SPLIT)
    test = rows[rows["split"] == "test"]
    columns = ["example", "label", "database", "phase"]
    tests = {
        int(str(fold)): part[columns].reset_index(drop=True)
        for fold, part in test.groupby("fold", sort=False)
    }
    repeat_of = {int(row["fold"]): int(row["repeat"]) if row["repeat"] else None for row in numbers}
    if set(tests) != set(repeat_of):
        raise UserError(
            f"{folds}: its folds are not those with test examples in {split}; rerun with "
            "`-R draw_split`"
        )
    return Expected(classes, sha256(gate), tests, repeat_of)


def read_all(
    results: Path, experiment: str, grid: Grid, parts: int, expected: Expected
) -> list[Run]:
    """Read every run of the grid, in grid order.

    Raises:
        UserError: a file is missing or truncated, a run lacks a fold or an epoch, is of another
            split, or did not predict exactly the test examples of the split.
    """
    return [
        _read_run(
            [
                run_folder(results, experiment, model, lr, repeat, part)
                for part in range(1, parts + 1)
            ],
            (model, lr, repeat),
            expected,
        )
        for model, lr in grid.configurations()
        for repeat in range(1, grid.repeats + 1)
    ]


def _read_run(folders: list[Path], name: tuple[str, str, int], expected: Expected) -> Run:
    """Join the parts of a run."""
    needed = ("classes", "folds", "failed", "tested_epoch", "split_sha256")
    infos = {folder: run_info.read(folder / "run.json", needed) for folder in folders}
    for folder, info in infos.items():
        _check_info(folder / "run.json", info, expected)
    # Where several parts failed for the same reason, it is given once.
    reasons = [str(info["failed"]) for info in infos.values() if info["failed"]]
    failed = "; ".join(dict.fromkeys(reasons))
    wanted = expected.folds(name[2])
    present = sorted(fold for info in infos.values() for fold in info["folds"])
    if present != wanted and not failed:
        raise UserError(
            f"{folders[0].parent}: the folds of its parts are {_list(present)}, those of the split "
            f"{_list(wanted)}; delete this folder and rerun the same command"
        )
    histories, predictions = [], []
    for folder, info in infos.items():
        histories.append(_read_history(folder / "history.tsv", info))
        if not failed:
            predictions.append(_read_predictions(folder / "predictions.tsv", info, expected))
    columns = list(tsv.PREDICTIONS)
    pooled = pd.concat(predictions) if predictions else pd.DataFrame(columns=columns)
    return Run(
        *name,
        device=", ".join(sorted({str(info.get("device") or "") for info in infos.values()} - {""})),
        history=_sorted(pd.concat(histories), ["fold", "epoch"]),
        predictions=_sorted(pooled, ["fold"]),
        redrawn=any(expected.repeat_of[fold] is not None for fold in wanted),
        failed=failed,
    )


def _check_info(path: Path, info: Mapping[str, Any], expected: Expected) -> None:
    if tuple(info["classes"]) != expected.classes:
        raise UserError(
            f"{path}: the classes {_list(info['classes'])} differ from {_list(expected.classes)} "
            "of the split; delete it and rerun the same command"
        )
    if info["split_sha256"] != expected.gate_sha256:
        raise UserError(
            f"{path}: this run was trained on another split; delete it and rerun the same command"
        )


def _read_history(path: Path, info: Mapping[str, Any]) -> pd.DataFrame:
    history = tsv.read(path, tsv.HISTORY)[list(tsv.HISTORY)]
    for column in ("fold", "epoch"):
        history[column] = history[column].astype(int)
    for metric in HISTORY_METRICS:
        history[metric] = history[metric].replace("", "nan").astype(float)
    if info["failed"]:
        return history
    epochs = {fold: sorted(part) for fold, part in history.groupby("fold")["epoch"]}
    for fold in info["folds"]:
        last = info["tested_epoch"].get(str(fold), 0)
        if not last or epochs.get(fold) != list(range(1, last + 1)):
            raise UserError(
                f"{path}: the epochs of fold {fold} are not 1 to {last}, the one that was tested; "
                "delete it and rerun the same command"
            )
    return history


def _read_predictions(path: Path, info: Mapping[str, Any], expected: Expected) -> pd.DataFrame:
    """The predictions of a part: each test example of its folds once, with the split's label."""
    predictions = tsv.read(path, tsv.PREDICTIONS)[list(tsv.PREDICTIONS)]
    predictions["fold"] = predictions["fold"].astype(int)
    unknown = sorted(set(predictions["predicted"]) - set(expected.classes))
    if unknown:
        raise UserError(f"{path}: {unknown[0]!r} in column 'predicted' is not a class of the split")
    columns = [predictions[column].tolist() for column in ("fold", "example", "label")]
    own = set(zip(*columns, strict=True))
    # A part has no fold where there are more parts than folds.
    asked = set().union(*(expected.keys[fold] for fold in info["folds"]))
    if own != asked or len(predictions) != len(asked):
        fold, example, label = min((own ^ asked) or own)
        raise UserError(
            f"{path}: its {len(predictions)} predictions are not of the {len(asked)} test examples "
            f"of the split (see fold {fold}, {example}, labelled {label}); delete it and rerun the "
            "same command"
        )
    return predictions


def _sorted(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.sort_values(keys, kind="stable", ignore_index=True)


def _list(values: object) -> str:
    return ", ".join(map(str, values))  # type: ignore[call-overload]
