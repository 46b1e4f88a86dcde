"""The confusion matrices of the paper's choice and of validation's choice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.drawing import choices, style
from fleeting.errors import UserError
from fleeting.evaluation import results, schemas
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.results import Choice, of_configuration
from fleeting.splits import gate

READS = {
    "confusions": "experiments/{experiment}/evaluation/confusions.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "Confusion matrices on the test examples, which the paper does not print: for the (model, "
    "learning rate) that the paper chose, and for the one with the highest validation accuracy. A "
    "row is a true class; its shares add up to 1. Counts in brackets. Chance is one over the "
    "number of classes. Shares and counts are means over the repeats, whose number is above each "
    "matrix; the test examples of all folds are pooled first. All repeats share one split, and "
    "between them only the initial weights (of the new layers alone, where the network is "
    "pretrained) and the order of the examples varied. Their spread is in table 3 for the pairs "
    "shown there, and in table 2 for each class. Runs that failed are in no mean."
)
#: Up to this many classes two matrices stand side by side; more stand one below the other.
MOST_SIDE_BY_SIDE = 7
#: Above this many classes counts would not fit into a cell and the shares stand alone.
MOST_WITH_COUNTS = 12
CELL = 0.42


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the confusion matrix of each choice."""
    return plot(
        results.read(files["confusions"][0], schemas.CONFUSIONS),
        choices.read(files["choices"][0]),
        gate.read(files["gate"][0]).classes,
        style.unit(settings["input.kind"]),
    )


def plot(
    confusions: pd.DataFrame, chosen: Sequence[Choice], classes: Sequence[str], unit: str
) -> Figure:
    """Draw one matrix per choice: rows are true classes and add up to 1; counts in brackets.

    Two choices of the same (model, lr) share one matrix under both names.

    Args:
        confusions: means over repeats (`evaluation.schemas.CONFUSIONS`).
        chosen: the configurations to show.
        classes: the order of rows and columns.
        unit: what examples are called.
    """
    titles = choices.titles(chosen)
    beside = len(classes) <= MOST_SIDE_BY_SIDE
    rows, columns = (1, len(titles)) if beside else (len(titles), 1)
    longest = max(len(name) for name in classes)
    height = CELL * max(len(classes), 4) + 0.06 * longest + 0.85
    figure = style.new_figure(height=rows * height)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for index, ((model, lr), name) in enumerate(titles.items()):
        found = of_configuration(confusions, model, lr)
        if found.empty:
            raise UserError(
                f"the confusion matrix of {model} at {lr} is missing; rerun with `-R "
                "summarise_runs`"
            )
        count = int(found["repeats"].max())
        repeats = "1 repeat" if count == 1 else f"mean of {count} repeats"
        title = f"{name}\n{paper_name(model)} at {lr}, {repeats}"
        panels[index].set_title(title)
        _matrix(panels[index], found, classes, labelled=not beside or index == 0)
    figure.supxlabel(f"share of a true class's test {unit}; {unit} in brackets", fontsize=8.5)
    return figure


def _matrix(axes: Axes, rows: pd.DataFrame, classes: Sequence[str], labelled: bool) -> None:
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


def _square(rows: pd.DataFrame, column: str, classes: Sequence[str]) -> np.ndarray:
    """A (classes x classes) array of a column; NaN where the table has no value."""
    pairs = zip(rows["label"], rows["predicted"], strict=True)
    values = dict(zip(pairs, rows[column], strict=True))
    return np.array([[values.get((true, guess), np.nan) for guess in classes] for true in classes])
