"""Curves of training: means over the repeats by epoch, with a band from lowest to highest."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fleeting.drawing import style
from fleeting.evaluation import schemas
from fleeting.evaluation.summary import of_configuration

#: From this many epochs on, thin lines: thick ones would fill the space between them.
MANY_EPOCHS = 300
THIN = 0.8


@dataclass(frozen=True)
class Curve:
    """One metric of one (model, lr); every array has one value per epoch.

    A value that is missing or infinite in the table (a run that diverged) is NaN: a gap.
    `look` holds what is drawn otherwise than `style.line_style` of the position.
    """

    label: str
    position: int
    look: dict[str, Any]
    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    repeats: int


def read(path: Path) -> pd.DataFrame:
    """Read evaluation/curves.tsv."""
    return schemas.read(path, schemas.CURVES)


def rates(table: pd.DataFrame) -> list[str]:
    """The learning rates of a table of curves, the largest first as in the paper."""
    return sorted(table["lr"].unique(), key=float, reverse=True)


def curve(
    table: pd.DataFrame,
    model: str,
    lr: str,
    metric: str,
    label: str,
    position: int,
    **look: Any,
) -> Curve | None:
    """One metric (for example `validation_loss`) of one (model, lr); None if the table lacks it."""
    rows = of_configuration(table, model, lr).sort_values("epoch")
    if rows.empty:
        return None
    values = (rows[f"{metric}_{name}"].to_numpy(float) for name in ("mean", "low", "high"))
    mean, low, high = (np.where(np.isfinite(array), array, np.nan) for array in values)
    epochs, repeats = rows["epoch"].to_numpy(), int(rows["repeats"].max())
    return Curve(label, position, look, epochs, mean, low, high, repeats)


def draw(axes: Axes, curve: Curve, label: str) -> None:
    """Draw the mean of a curve and, from two repeats on, its band.

    Gaps (NaN) stay gaps; a value between two gaps is drawn as its marker, so that it is seen.
    """
    look = style.line_style(curve.position)
    colour = look["color"]
    axes.plot(
        curve.epochs,
        curve.mean,
        label=label,
        markevery=_markers(curve),
        linewidth=THIN if len(curve.epochs) > MANY_EPOCHS else None,
        markeredgewidth=0.8,
        **{"markerfacecolor": colour, **look, **curve.look},
    )
    if curve.repeats > 1:
        axes.fill_between(
            curve.epochs, curve.low, curve.high, color=colour, alpha=0.12, linewidth=0
        )


def _markers(curve: Curve) -> list[int]:
    """About ten points a line, not at the same epochs in every line, and those between gaps."""
    step = max(1, math.ceil(len(curve.epochs) / 10))
    regular = range((curve.position * step // 5) % step, len(curve.epochs), step)
    known = np.isfinite(np.concatenate([[np.nan], curve.mean, [np.nan]]))
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    return sorted({*regular, *alone.tolist()})


def repeats_text(curves: Sequence[Curve]) -> str:
    """How many repeats a line stands for and what its band is, for a legend or a title."""
    if not curves:
        return "no runs"
    text = style.repeats(curve.repeats for curve in curves)
    return f"{text}, no band" if text == "1 repeat" else f"mean of {text},\nband: lowest to highest"


def fewer_repeats(curve: Curve, table: pd.DataFrame) -> str:
    """What follows a curve's name where others of the table have more repeats."""
    missing = curve.repeats < table["repeats"].max()
    return f" ({style.repeats([curve.repeats])})" if missing else ""


def epochs_axis(axes: Axes, curves: Sequence[Curve]) -> None:
    """Label the x axis in epochs, from the first to the last one of the longest curve."""
    last = max((int(curve.epochs[-1]) for curve in curves), default=1)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(
        MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1)
    )
    room = max(0.5, 0.02 * last)
    axes.set_xlim(1 - room, last + room)


def accuracies(
    table: pd.DataFrame, found: Iterable[Curve | None], classes: int, title: str, ylabel: str
) -> Figure:
    """Draw accuracies by epoch, with chance (one over the number of classes) and a legend.

    Args:
        table: the curves of all models and rates (`evaluation.schemas.CURVES`).
        found: those to draw; None where the table lacks one.
        classes: the number of classes.
        title: the figure's title.
        ylabel: what the values are.
    """
    curves = [curve for curve in found if curve is not None]
    figure = style.new_figure(height=3.7)
    axes = figure.subplots()
    for curve in curves:
        draw(axes, curve, curve.label + fewer_repeats(curve, table))
    chance = 1 / classes
    axes.axhline(chance, label=f"chance: 1/{classes} = {chance:.2f}", **style.CHANCE)
    axes.set_ylim(0, 1)
    axes.set_ylabel(ylabel)
    epochs_axis(axes, curves)
    axes.set_title(title)
    # To the right of the axes, where it hides no line.
    legend = axes.legend(
        title=repeats_text(curves),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0,
        handlelength=3.4,
    )
    legend.set_alignment("left")
    return figure
