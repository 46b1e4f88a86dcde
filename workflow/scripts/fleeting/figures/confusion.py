"""The confusion matrices of the paper's choice and of validation's choice."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.errors import UserError
from fleeting.evaluation.collected import Choice, of_cell
from fleeting.evaluation.grid import paper_name
from fleeting.figures import style

#: Up to this many classes two matrices stand side by side; more stand one below the other.
MOST_SIDE_BY_SIDE = 7
#: Above this many classes counts would not fit into a cell and the shares stand alone.
MOST_WITH_COUNTS = 12
CELL = 0.42


def draw(confusions: pd.DataFrame, choices: Sequence[Choice], classes: list[str]) -> Figure:
    """Draw one matrix a choice: rows are true classes and add up to 1; counts in brackets.

    Two choices of the same (model, lr) share one matrix under both names.

    Args:
        confusions: the collected confusions (`evaluation.schemas.CONFUSIONS`), means over repeats.
        choices: the cells to show.
        classes: the order of rows and columns.
    """
    cells: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        cells.setdefault((choice.model, choice.lr), []).append(style.choice_title(choice.name))
    beside = len(classes) <= MOST_SIDE_BY_SIDE
    rows, columns = (1, len(cells)) if beside else (len(cells), 1)
    longest = max(len(name) for name in classes)
    height = CELL * max(len(classes), 4) + 0.06 * longest + 0.85
    figure = style.new_figure(height=rows * height)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for index, ((model, lr), names) in enumerate(cells.items()):
        found = of_cell(confusions, model, lr)
        if found.empty:
            raise UserError(
                f"the confusion matrix of {model} at {lr} is missing; run the evaluation again"
            )
        count = int(found["repeats"].max())
        repeats = "1 repeat" if count == 1 else f"mean of {count} repeats"
        title = f"{' and '.join(names)}\n{paper_name(model)} at {lr}, {repeats}"
        panels[index].set_title(title)
        _matrix(panels[index], found, classes, labelled=not beside or index == 0)
    figure.supxlabel("share of a true class's test images; images in brackets", fontsize=8.5)
    return figure


def _matrix(axes: Axes, rows: pd.DataFrame, classes: list[str], labelled: bool) -> None:
    rate = _square(rows, "rate_mean", classes)
    count = _square(rows, "count_mean", classes)
    text = np.empty(rate.shape, dtype=object)
    for place in np.ndindex(*rate.shape):
        share = "–" if np.isnan(rate[place]) else f"{rate[place]:.2f}"
        counted = "" if np.isnan(count[place]) else f"\n({count[place]:.1f})"
        text[place] = share + (counted if len(classes) <= MOST_WITH_COUNTS else "")
    seaborn.heatmap(
        np.nan_to_num(rate),
        ax=axes,
        vmin=0,
        vmax=1,
        cmap="Blues",
        annot=text,
        fmt="",
        annot_kws={"fontsize": 8},
        square=True,
        linewidths=0.8,
        linecolor="white",
        cbar=False,
        xticklabels=classes,
        yticklabels=classes if labelled else False,
    )
    axes.tick_params(length=0)
    axes.tick_params(axis="y", labelrotation=0)
    axes.set_xticklabels(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class" if labelled else "")


def _square(rows: pd.DataFrame, column: str, classes: list[str]) -> np.ndarray:
    """A (classes x classes) array of a column; NaN where the table has no value."""
    pairs = zip(rows["label"], rows["predicted"], strict=True)
    values = dict(zip(pairs, rows[column], strict=True))
    return np.array([[values.get((true, guess), np.nan) for guess in classes] for true in classes])
