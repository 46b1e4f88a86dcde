"""How far an apex that was searched for is from the one that is known."""

import pandas as pd

#: What `errors` returns of each way to find an apex.
MEASURES = ("mean", "median", "share")


def errors(rows: pd.DataFrame, found: str, known: str) -> dict[str, float]:
    """The distance of two columns of frame numbers, over the rows that have both.

    Args:
        rows: with these columns and `onset` and `offset`, as numbers; a missing one is NaN.
        found: the column of the frames that were found.
        known: the column of the frames that are the apex.

    Returns:
        The mean and the median in frames, and the mean as a share of the clip's length: of the
        frames from its onset to its offset. NaN where no row has both.
    """
    distance = (rows[found] - rows[known]).abs()
    length = rows["offset"] - rows["onset"]
    return {
        "mean": float(distance.mean()),
        "median": float(distance.median()),
        "share": float((distance / length).mean()),
    }


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The same table of APEXES with its frames as numbers; an empty cell is NaN."""
    frames = ["stated", "found", "middle", "onset", "offset", "used"]
    return rows.assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in frames})
