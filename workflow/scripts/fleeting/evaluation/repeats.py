"""How a value spreads over the repeats, as numbers and for reading."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from fleeting.evaluation.schemas import SPREAD


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, sample standard deviation, smallest and largest of the values of the repeats.

    The standard deviation of a single value is NaN. A NaN among the values makes all four NaN: a
    repeat that diverged is not averaged away.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0 or np.isnan(array).any():
        return dict.fromkeys(SPREAD, nan)
    with np.errstate(invalid="ignore"):  # an infinite loss has no standard deviation
        sd = float(array.std(ddof=1)) if array.size > 1 else nan
    return {"mean": float(array.mean()), "sd": sd, "low": array.min(), "high": array.max()}


def number_text(value: float | None, decimals: int = 3) -> str:
    """A number for reading; nothing where there is none."""
    return "" if value is None or isnan(value) else f"{value:z.{decimals}f}"


def spread_text(row: Mapping[Any, Any], prefix: str = "") -> str:
    """The spread of one row for reading: `sd 0.031; 0.120 to 0.220`, or `one repeat`."""
    sd, low, high = (number_text(row[f"{prefix}{name}"]) for name in ("sd", "low", "high"))
    if not low:
        return ""
    return f"sd {sd}; {low} to {high}" if sd else "one repeat"


def for_reading(frame: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Columns of a table under the titles that they have for readers.

    A column that the table has is shown as it is. Of one that it has as a spread (`{column}_mean`
    and so on), the mean is shown, with the spread as text beside it.
    """
    shown: dict[str, Any] = {}
    for column, title in titles.items():
        if column in frame:
            shown[title] = frame[column]
        else:
            shown[title] = frame[f"{column}_mean"]
            rows = frame.to_dict("records")
            shown[f"{title} over repeats"] = [spread_text(row, f"{column}_") for row in rows]
    return pd.DataFrame(shown)
