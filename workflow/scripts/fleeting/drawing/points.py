"""Scores as points: one row per group, each repeat a small point and their mean a large one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fleeting.drawing import style
from fleeting.drawing.chance import Chance
from fleeting.evaluation.results import of_configuration

#: The metrics that figures of scores show.
METRICS = {"uf1": "UF1", "uar": "UAR", "accuracy": "accuracy"}
GUESSING = {**style.CHANCE, "linewidth": 1.6}
MAJORITY = {**GUESSING, "linestyle": (0, (3, 1.5))}
MEAN: dict[str, Any] = {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6}


def values(scores: pd.DataFrame, model: str, lr: str, group: str, metric: str) -> list[float]:
    """One score of a configuration (`tsv.SCORES`), one value per repeat."""
    rows = of_configuration(scores, model, lr)
    return rows.loc[(rows["group"] == group) & (rows["metric"] == metric), "value"].tolist()


def classes(scores: pd.DataFrame) -> int:
    """The number of classes of an experiment, each of which is a group of its scores."""
    return sum(group.startswith("class/") for group in scores["group"].unique())


def draw(axes: Axes, place: float, found: Sequence[float], position: int) -> None:
    """Draw the repeats of a score and their mean at the height `place`.

    Where there is no mean, because a repeat has no score (NaN) or there is no repeat, it says so.
    """
    look = {**style.look(position), "linestyle": "none"}
    if len(found) > 1:
        axes.plot(found, [place] * len(found), **look, markersize=3, alpha=0.45, markeredgewidth=0)
    mean = float(np.mean(found)) if found else float("nan")
    axes.plot([mean], [place], **look, **MEAN, zorder=3)
    if np.isnan(mean):
        axes.text(0.5, place, "no score", ha="center", va="center", fontsize=7, color=look["color"])


def draw_chance(axes: Axes, place: float, chance: Chance) -> None:
    """Mark both kinds of chance across a row at the height `place`."""
    for value, look in ((chance.guessing, GUESSING), (chance.majority, MAJORITY)):
        if value is not None:
            axes.plot([value, value], [place - 0.42, place + 0.42], **look)


def legend(series: Sequence[str], repeats: Sequence[int]) -> tuple[list[Line2D], list[str]]:
    """Handles and labels: the series, how repeats are drawn, and chance.

    Args:
        series: what the colours mean, by position.
        repeats: the numbers of repeats behind the points.
    """
    handles = [
        Line2D([], [], **{**style.look(position), "linestyle": "none"}, **MEAN)
        for position in range(len(series))
    ]
    labels = list(series)
    if max(repeats, default=1) > 1:
        handles.append(Line2D([], [], color="#888888", marker="o", markersize=3, linestyle="none"))
        labels.append("one repeat (large: their mean)")
    handles += [Line2D([], [], **GUESSING), Line2D([], [], **MAJORITY)]
    return handles, [*labels, "guessing each class equally often", "always the most frequent class"]


def finish(panels: Sequence[Axes], places: Sequence[float], names: Sequence[str]) -> None:
    """Name the rows at the left panel and the metrics above, from 0 to 1."""
    for axes, title in zip(panels, METRICS.values(), strict=True):
        axes.set_title(title)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(places[-1] + 0.6, places[0] - 0.6)
    # A rule where a new section begins.
    for above, below in pairwise(places):
        if below - above > 1:
            for axes in panels:
                axes.axhline((above + below) / 2, color="#BBBBBB", linewidth=0.6)


def repeats_text(counts: Sequence[int]) -> str:
    """`1 repeat`, `10 repeats` or `8 to 10 repeats`."""
    low, high = min(counts), max(counts)
    if low != high:
        return f"{low} to {high} repeats"
    return "1 repeat" if low == 1 else f"{low} repeats"
