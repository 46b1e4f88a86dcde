"""Counts of what was not used, by reason."""

import pandas as pd


def by_reason(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """How often each combination of `keys` occurs, most frequent first."""
    counts = frame.groupby(keys, sort=False).size().rename("count").reset_index()
    return counts.sort_values(["count", *keys], ascending=[False, *[True] * len(keys)])
