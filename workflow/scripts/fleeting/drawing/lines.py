"""Mean lines with a band over repeats, by epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fleeting.drawing.curves import Curve
from fleeting.drawing.style import marked

#: From this many epochs on, thin lines: thick ones would fill the space between them.
MANY_EPOCHS = 300
THIN = 0.8


def draw(
    axes: Axes,
    curve: Curve,
    look: Mapping[str, Any],
    position: int,
    label: str,
    hollow: bool = False,
) -> None:
    """Draw the mean of a curve and, from two repeats on, its band from lowest to highest.

    `hollow` markers set a second line of the same colour apart where no dash can be seen.
    Gaps (NaN) stay gaps; a value between two gaps is drawn as its marker, so that it is seen.
    """
    axes.plot(
        curve.epochs,
        curve.mean,
        label=label,
        markevery=_markers(curve.mean, position),
        linewidth=THIN if len(curve.epochs) > MANY_EPOCHS else None,
        markeredgewidth=0.8,
        markerfacecolor="white" if hollow else look["color"],
        **look,
    )
    if curve.repeats > 1:
        axes.fill_between(
            curve.epochs, curve.low, curve.high, color=look["color"], alpha=0.12, linewidth=0
        )


def repeats_label(curves: list[Curve]) -> str:
    """How many repeats a line stands for and what its band is, for a legend or a title."""
    counts = sorted({curve.repeats for curve in curves})
    if not counts:
        return "no runs"
    if counts == [1]:
        return "1 repeat, no band"
    count = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"mean of {count} repeats,\nband: lowest to highest"


def name(text: str, curve: Curve, frame: pd.DataFrame) -> str:
    """A line's name, with its number of repeats where other curves have more."""
    if curve.repeats == frame["repeats"].max():
        return text
    return f"{text} ({curve.repeats} repeat{'s' if curve.repeats > 1 else ''})"


def _markers(values: np.ndarray, position: int) -> list[int]:
    start, step = marked(position, len(values))
    regular = set(range(start, len(values), step))
    known = np.isfinite(np.concatenate([[np.nan], values, [np.nan]]))
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    return sorted(regular | {int(index) for index in alone})
