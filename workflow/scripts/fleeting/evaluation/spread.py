"""Means and how far the repeats lie apart."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from fleeting.evaluation.schemas import SPREAD


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, sample standard deviation, smallest and largest of the values of the repeats.

    The standard deviation of a single value is nan. A nan among the values makes all four nan: a
    repeat that diverged is not averaged away.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0 or np.isnan(array).any():
        return dict.fromkeys(SPREAD, nan)
    with np.errstate(invalid="ignore"):  # an infinite loss has no standard deviation
        sd = float(array.std(ddof=1)) if array.size > 1 else nan
    return {"mean": float(array.mean()), "sd": sd, "low": array.min(), "high": array.max()}


def share(value: object, decimals: int = 3) -> str:
    """A number for reading; nothing where there is none."""
    number = as_number(value)
    return "" if np.isnan(number) else f"{number:.{decimals}f}"


def spread_text(row: Mapping[Any, Any], prefix: str = "") -> str:
    """The spread of one row for reading: `sd 0.031; 0.120 to 0.220`, or `one repeat`."""
    sd, low, high = (as_number(row[f"{prefix}{name}"]) for name in ("sd", "low", "high"))
    if np.isnan(low):
        return ""
    if np.isnan(sd):
        return "one repeat"
    return f"sd {sd:.3f}; {low:.3f} to {high:.3f}"


def as_number(value: object) -> float:
    """The number in a table's cell; nan where the cell is empty."""
    if isinstance(value, str):
        return float(value) if value else nan
    return float(pd.to_numeric(value))  # type: ignore[call-overload]
