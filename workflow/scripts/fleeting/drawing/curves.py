"""The summarised curves as the figures need them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleeting.evaluation.results import of_configuration


@dataclass(frozen=True)
class Curve:
    """One metric of one (model, lr) by epoch; every array has one value per epoch.

    A value that is missing or infinite in the table (a run that diverged) is NaN: a gap.
    """

    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    repeats: int


def models(frame: pd.DataFrame) -> list[str]:
    """The models of a table in its order, which is the grid's."""
    return list(frame["model"].unique())


def rates(frame: pd.DataFrame) -> list[str]:
    """The learning rates of a table, the largest first as in the paper."""
    return sorted(frame["lr"].unique(), key=float, reverse=True)


def curve(frame: pd.DataFrame, model: str, lr: str, metric: str) -> Curve | None:
    """One metric of one (model, lr) by epoch; None if the grid lacks that configuration.

    Args:
        frame: the curves (`evaluation.schemas.CURVES`) with numbers as numbers.
        model: the model's name in the table.
        lr: the learning rate as the config writes it.
        metric: for example `validation_loss`.
    """
    rows = of_configuration(frame, model, lr)
    if rows.empty:
        return None
    rows = rows.sort_values("epoch")
    mean, low, high = (_finite(rows[f"{metric}_{name}"]) for name in ("mean", "low", "high"))
    return Curve(rows["epoch"].to_numpy(), mean, low, high, int(rows["repeats"].max()))


def last_epoch(drawn: list[Curve]) -> int:
    """The last epoch of the longest curve."""
    return max((int(curve.epochs[-1]) for curve in drawn), default=1)


def _finite(values: pd.Series) -> np.ndarray:
    array = values.to_numpy(dtype=float)
    return np.where(np.isfinite(array), array, np.nan)
