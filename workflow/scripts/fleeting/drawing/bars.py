"""Horizontal bars of counts, stacked of parts, with their sum at the end."""

from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fleeting.drawing import style

#: The style of each role's bar (`style.bar_style`), the same wherever a split is drawn.
ROLE_STYLES = {"train": 0, "validation": 2, "test": 3}


def stack(
    axes: Axes,
    positions: Sequence[float],
    thickness: float,
    parts: Iterable[tuple[str, pd.Series, int]],
) -> list[int]:
    """Draw a bar at each position and return the sums of their parts.

    Each part has a name for the legend, a count for each position, and the position of its style.
    """
    sums = [0] * len(positions)
    for name, counts, bar in parts:
        axes.barh(positions, counts, thickness, left=sums, label=name, **style.bar_style(bar))
        sums = [before + count for before, count in zip(sums, counts, strict=True)]
    return sums


def write_sums(
    axes: Axes, positions: Sequence[float], sums: Sequence[int], unit: str, room: float
) -> None:
    """Write the sums beside their bars, and what is counted below the axis.

    The axis ends at `room` times the largest sum.
    """
    largest = max([1, *sums])
    for position, count in zip(positions, sums, strict=True):
        axes.text(count + 0.02 * largest, position, str(count), va="center", fontsize=8)
    axes.set_xlim(0, room * largest)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
