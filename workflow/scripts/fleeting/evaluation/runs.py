"""The files of every run, read, its parts joined, and checked against the split."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
from pydantic import BaseModel, ValidationError

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.kept_apart import KeptApart, unit_of
from fleeting.paths import run_folder, sha256
from fleeting.splits import gate as gates

T = TypeVar("T")
#: The columns that identify a prediction.
PREDICTION_KEY = ["fold", "example", "label"]
#: What split.tsv says besides of the example of a prediction.
OF_TESTS = ["database", "subject", "phase", "person", "recording"]


class Grid(BaseModel):
    """Which runs an experiment has, in the order of the config."""

    models: list[str]
    lrs: list[str]
    repeats: int

    def configurations(self) -> list[tuple[str, str]]:
        """Every (model, learning rate)."""
        return [(model, lr) for model in self.models for lr in self.lrs]


class RunMetadata(BaseModel):
    """What the evaluation needs of a run.json."""

    folds: list[int]
    epochs: dict[int, int]
    tested_epoch: dict[int, int]
    weights_moved: dict[int, float]
    split_sha256: str
    device: str
    failed: str | None


@dataclass(frozen=True)
class Expected:
    """What the split asks of every run.

    Attributes:
        classes: the experiment's classes, sorted.
        gate_sha256: the sha256 of split.json, which every run names.
        tests: the test examples of all folds: fold, example, label, and the columns of `OF_TESTS`.
        kept_apart: what the protocol promises of them; None: nothing.
        repeat_of: the repeat that each fold is for, None where it is for all.
        unit: what a best run is chosen for, see `kept_apart.unit_of`.
    """

    classes: tuple[str, ...]
    gate_sha256: str
    tests: pd.DataFrame
    kept_apart: KeptApart | None
    repeat_of: Mapping[int, int | None]
    unit: str


@dataclass(frozen=True)
class Run:
    """What the parts of one run left.

    Attributes:
        history: `tsv.HISTORY`, sorted by fold and epoch.
        predictions: fold, example, label, predicted and the columns of `OF_TESTS`, of all folds;
            empty if the run failed.
        tested_epoch: the epoch of each fold whose weights were tested.
        weights_moved: how far these weights moved, as a share of their initial length, by fold.
        redrawn: whether its folds are for this repeat alone.
        failed: why it failed; empty if it did not.
    """

    model: str
    lr: str
    repeat: int
    device: str
    history: pd.DataFrame
    predictions: pd.DataFrame
    tested_epoch: Mapping[int, int]
    weights_moved: Mapping[int, float]
    redrawn: bool
    failed: str

    @property
    def name(self) -> str:
        """The run for reading."""
        return f"{self.model} at {self.lr}, repeat {self.repeat}"

    @property
    def tested(self) -> pd.DataFrame:
        """The row of the history of each fold's tested epoch; none if the run failed."""
        return self.history[self.history["epoch"] == self.history["fold"].map(self.tested_epoch)]


def read_expected(gate: Path, split: Path, folds: Path) -> Expected:
    """What split.json, split.tsv and folds.tsv ask of the runs."""
    rows = schemas.read(split, tsv.SPLIT)
    tests = rows.loc[rows["split"] == "test", [*PREDICTION_KEY, *OF_TESTS]]
    repeat_of = {
        int(row["fold"]): int(row["repeat"]) if row["repeat"] else None
        for row in tsv.read_rows(folds, tsv.FOLDS)
    }
    if set(tests["fold"]) != set(repeat_of):
        raise UserError(
            f"{folds}: its folds are not those with test examples in {split}; rerun with "
            "`-R draw_split`"
        )
    stated = gates.read(gate)
    kept_apart = KeptApart.of(rows, stated.apart) if stated.apart else None
    return Expected(stated.classes, sha256(gate), tests, kept_apart, repeat_of, unit_of(rows))


def read_all(
    results: Path, experiment: str, grid: Grid, parts: int, expected: Expected
) -> list[Run]:
    """Read every run of the grid, in grid order.

    Raises:
        UserError: a file is missing or truncated, a run lacks a fold or an epoch, is of another
            split, did not predict exactly the test examples of the split, or predicted one of a
            group that the protocol keeps apart and that it was fitted on.
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
    parts = {folder: _read_metadata(folder / "run.json", expected) for folder in folders}
    # Where several parts failed for the same reason, it is given once.
    failed = "; ".join(dict.fromkeys(part.failed for part in parts.values() if part.failed))
    wanted = sorted(fold for fold, of in expected.repeat_of.items() if of in (None, name[2]))
    present = sorted(fold for part in parts.values() for fold in part.folds)
    if present != wanted and not failed:
        raise UserError(
            f"{folders[0].parent}: the folds of its parts are {_list(present)}, those of the split "
            f"{_list(wanted)}; delete this folder and rerun the same command"
        )
    history = pd.concat(
        _read_history(folder / "history.tsv", part) for folder, part in parts.items()
    )
    predictions = [
        _read_predictions(folder / "predictions.tsv", part, expected)
        for folder, part in parts.items()
        if not failed
    ]
    return Run(
        *name,
        device=", ".join(sorted({part.device for part in parts.values()} - {""})),
        history=history.sort_values(["fold", "epoch"], kind="stable"),
        predictions=(
            pd.concat(predictions).sort_values("fold", kind="stable", ignore_index=True)
            if predictions
            else pd.DataFrame()
        ),
        tested_epoch=_by_fold(part.tested_epoch for part in parts.values()),
        weights_moved=_by_fold(part.weights_moved for part in parts.values()),
        redrawn=any(expected.repeat_of[fold] is not None for fold in wanted),
        failed=failed,
    )


def _read_metadata(path: Path, expected: Expected) -> RunMetadata:
    try:
        found = RunMetadata.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: missing; rerun the same command") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path}: corrupt ({where} {first['msg']}); delete it and rerun the same command"
        ) from None
    if found.split_sha256 != expected.gate_sha256:
        raise UserError(
            f"{path}: this run was trained on another split; delete it and rerun the same command"
        )
    return found


def _read_history(path: Path, metadata: RunMetadata) -> pd.DataFrame:
    history = schemas.read(path, tsv.HISTORY)[list(tsv.HISTORY)]
    epochs = {fold: sorted(part) for fold, part in history.groupby("fold")["epoch"]}
    for fold in metadata.folds if not metadata.failed else ():
        wanted = list(range(1, metadata.epochs.get(fold, 0) + 1))
        if epochs.get(fold) != wanted or metadata.tested_epoch.get(fold) not in wanted:
            raise UserError(
                f"{path}: the epochs of fold {fold} are not 1 to {len(wanted)} with the tested one "
                "among them; delete it and rerun the same command"
            )
    return history


def _read_predictions(path: Path, metadata: RunMetadata, expected: Expected) -> pd.DataFrame:
    """The predictions of a part: each test example of its folds once, with the split's label."""
    predictions = schemas.read(path, tsv.PREDICTIONS)[list(tsv.PREDICTIONS)]
    unknown = sorted(set(predictions["predicted"]) - set(expected.classes))
    if unknown:
        raise UserError(f"{path}: {unknown[0]!r} in column 'predicted' is not a class of the split")
    # A part has no fold where there are more parts than folds.
    tests = expected.tests[expected.tests["fold"].isin(metadata.folds)]
    asked, own = (
        set(frame[PREDICTION_KEY].itertuples(index=False, name=None))
        for frame in (tests, predictions)
    )
    if own != asked or len(predictions) != len(asked):
        fold, example, label = min((own ^ asked) or own)
        raise UserError(
            f"{path}: its {len(predictions)} predictions are not of the {len(asked)} test examples "
            f"of the split (see fold {fold}, {example}, labelled {label}); delete it and rerun the "
            "same command"
        )
    found = predictions.merge(tests, on=PREDICTION_KEY)
    if expected.kept_apart:
        expected.kept_apart.check(found, path)
    return found


def _by_fold(parts: Iterable[Mapping[int, T]]) -> dict[int, T]:
    """What the parts of a run have of their folds."""
    return {fold: value for part in parts for fold, value in part.items()}


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
