"""Scores as points: a panel per metric, in it a row per group with each repeat and their mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fleeting.drawing import style
from fleeting.evaluation.chance import Chance
from fleeting.evaluation.intervals import BOOTSTRAP
from fleeting.evaluation.summary import of_configuration

#: The metrics that figures of scores show.
METRICS = {"uf1": "UF1", "uar": "UAR", "accuracy": "accuracy"}
#: The distance of two rows is 1, and this where a new section begins.
SECTION_GAP = 1.6
GUESSING = {**style.CHANCE, "linewidth": 1.6}
MAJORITY = {**GUESSING, "linestyle": (0, (3, 1.5))}
NULL = {**GUESSING, "linestyle": "-"}
INTERVAL_LINE: dict[str, Any] = {"linewidth": 1.3, "alpha": 0.8, "solid_capstyle": "butt"}
#: In place of an interval, where the subjects are too few.
RANGE_LINE: dict[str, Any] = {**INTERVAL_LINE, "linestyle": (0, (1, 1))}
MEAN: dict[str, Any] = {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6}


@dataclass(frozen=True)
class Row:
    """A row of the figure.

    Attributes:
        name: what stands beside it.
        section: rows of one section stand together.
        scores: of one group (rows of `tsv.SCORES`).
        intervals: of the same group (rows of `schemas.INTERVALS`).
        configurations: the (model, lr) to show by their position in the legend.
        chance: by metric; None where there is none.
        null: the highest score of a null model by metric; None likewise.
    """

    name: str
    section: str
    scores: pd.DataFrame
    intervals: pd.DataFrame
    configurations: Mapping[int, tuple[str, str]]
    chance: Mapping[str, Chance | None]
    null: Mapping[str, float | None]

    def repeats(self) -> list[int]:
        """The number of repeats of each configuration."""
        return [len(self.values(position, "uf1")) for position in self.configurations]

    def values(self, position: int, metric: str) -> list[float]:
        """One score of a configuration, one value per repeat."""
        rows = of_configuration(self.scores, *self.configurations[position])
        return rows.loc[rows["metric"] == metric, "value"].tolist()

    def interval(self, position: int, metric: str) -> Mapping[Any, Any] | None:
        """The interval of one score of a configuration; None where it has no run."""
        rows = of_configuration(self.intervals, *self.configurations[position])
        return next(iter(rows[rows["metric"] == metric].to_dict("records")), None)


def classes(scores: pd.DataFrame) -> int:
    """The number of classes of an experiment, each of which is a group of its scores."""
    return sum(group.startswith("class/") for group in scores["group"].unique())


def draw(
    rows: Sequence[Row],
    series: Sequence[str],
    *,
    margin: float,
    row_height: float,
    step: float,
    columns: int,
) -> Figure:
    """Draw the figure.

    Args:
        rows: the rows from above, those of a section together.
        series: what the colours mean, in the order of the legend.
        margin: the height of what is above and below the rows, in inches.
        row_height: the distance of two rows, in inches.
        step: the distance of two configurations of a row, as a share of the row.
        columns: of the legend.
    """
    positions, rules = [0.0], []
    for above, below in zip(rows, rows[1:], strict=False):
        gap = 1 if above.section == below.section else SECTION_GAP
        if gap > 1:
            rules.append(positions[-1] + gap / 2)
        positions.append(positions[-1] + gap)
    figure = style.new_figure(margin + row_height * positions[-1])
    panels = figure.subplots(1, len(METRICS), sharey=True)
    for axes, (metric, title) in zip(panels, METRICS.items(), strict=True):
        for row, y in zip(rows, positions, strict=True):
            if chance := row.chance[metric]:
                _mark(axes, y, chance.guessing, GUESSING)
                _mark(axes, y, chance.majority, MAJORITY)
            _mark(axes, y, row.null[metric], NULL)
            for position in row.configurations:
                offset = step * (position - (len(series) - 1) / 2)
                _draw_points(axes, y + offset, row.values(position, metric), position)
                if interval := row.interval(position, metric):
                    _draw_interval(axes, y + offset, interval, position)
        for y in rules:
            axes.axhline(y, color="#BBBBBB", linewidth=0.6)
        axes.set_title(title)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(positions, [row.name for row in rows])
    panels[0].set_ylim(positions[-1] + 0.6, positions[0] - 0.6)
    several = any(count > 1 for row in rows for count in row.repeats())
    figure.legend(*_legend(series, several), loc="outside lower center", ncols=columns)
    return figure


def _draw_points(axes: Axes, y: float, values: Sequence[float], position: int) -> None:
    """Draw each repeat's score and their mean.

    Where there is no mean, because a repeat has no score (NaN) or there is no repeat, it says so.
    """
    look = {**style.line_style(position), "linestyle": "none"}
    if len(values) > 1:
        axes.plot(values, [y] * len(values), **look, markersize=3, alpha=0.45, markeredgewidth=0)
    mean = float(np.mean(values)) if values else float("nan")
    axes.plot([mean], [y], **look, **MEAN, zorder=3)
    if np.isnan(mean):
        axes.text(0.5, y, "no score", ha="center", va="center", fontsize=7, color=look["color"])


def _draw_interval(axes: Axes, y: float, interval: Mapping[Any, Any], position: int) -> None:
    """Draw a line from the lower to the upper end."""
    look = INTERVAL_LINE if interval["kind"] == BOOTSTRAP else RANGE_LINE
    color = style.line_style(position)["color"]
    axes.plot([interval["low"], interval["high"]], [y, y], color=color, **look)


def _mark(axes: Axes, y: float, value: float | None, look: dict[str, Any]) -> None:
    """Mark a score across a row, if there is one."""
    if value is not None:
        axes.plot([value, value], [y - 0.42, y + 0.42], **look)


def _legend(series: Sequence[str], several: bool) -> tuple[list[Line2D], list[str]]:
    """Handles and labels: the series, a repeat where there are several, intervals, chance."""
    handles = [
        Line2D([], [], **{**style.line_style(position), "linestyle": "none"}, **MEAN)
        for position in range(len(series))
    ]
    labels = list(series)
    if several:
        handles.append(Line2D([], [], color="#888888", marker="o", markersize=3, linestyle="none"))
        labels.append("one repeat (large: their mean)")
    grey: dict[str, Any] = {"color": "#888888"}
    handles += [Line2D([], [], **grey, **INTERVAL_LINE), Line2D([], [], **grey, **RANGE_LINE)]
    handles += [Line2D([], [], **look) for look in (GUESSING, MAJORITY, NULL)]
    return handles, [
        *labels,
        "95% interval over subjects",
        "range without one subject (too few for an interval)",
        "guessing each class equally often",
        "always the most frequent class",
        "best null model (given annotations alone)",
    ]
