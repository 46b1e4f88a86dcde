"""The confusion matrices of the choices: the paper's, validation's and the nested one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.drawing import choices, style
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.summary import of_configuration, read_choices
from fleeting.splits import gate

READS = {
    "confusions": "experiments/{experiment}/evaluation/confusions.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "Confusion matrices on the test examples, which the paper does not print: for the (model, "
    "learning rate) that the paper chose, and for the one with the highest validation accuracy "
    "(and, with several folds, for each fold's own choice by its validation UF1, called nested). A "
    "row is a true class; its shares add up to 1. Counts in brackets. Chance is one over the "
    "number of classes. Shares and counts are means over the repeats, whose number is above each "
    "matrix; the test examples of all folds are pooled first. All repeats share one split, unless "
    "the protocol draws one for each. Between them the initial weights (of the new layers alone, "
    "where the network is pretrained) and the order of the examples varied. Their spread is in "
    "table 3 for the pairs shown there, and in table 2 for each class. Runs that failed are in no "
    "mean."
)
#: Up to this many columns, matrices stand side by side; with more, one below the other.
MOST_SIDE_BY_SIDE = 14
#: Above this many classes counts would not fit into a square and the shares stand alone.
MOST_WITH_COUNTS = 12
#: The side of a square in inches.
SIDE = 0.42


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one matrix per choice: rows are true classes and add up to 1; counts in brackets.

    Two choices of the same (model, lr) share one matrix under both names.
    """
    confusions = schemas.read(files["confusions"][0], schemas.CONFUSIONS)
    titles = choices.titles(read_choices(files["choices"][0]))
    classes = list(gate.read(files["gate"][0]).classes)
    unit = style.unit(settings["input.kind"])
    beside = len(classes) * len(titles) <= MOST_SIDE_BY_SIDE
    rows, columns = (1, len(titles)) if beside else (len(titles), 1)
    longest = max(len(name) for name in classes)
    height = SIDE * max(len(classes), 4) + 0.06 * longest + 0.85
    separator = ", "
    if beside and len(titles) > 2:
        # Above a third of the page's width, a title needs a third line.
        separator = ",\n"
        height += 0.2
    figure = style.new_figure(height=rows * height)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, ((model, lr), title) in zip(panels, titles.items(), strict=True):
        found = of_configuration(confusions, model, lr)
        if found.empty:
            raise UserError(
                f"the confusion matrix of {model} at {lr} is missing; rerun with `-R "
                "summarise_runs`"
            )
        repeats = style.mean_of(int(found["repeats"].max()))
        axes.set_title(f"{title}\n{configuration_title(model, lr)}{separator}{repeats}")
        _draw_matrix(axes, found, classes, labelled=not beside or axes is panels[0])
    figure.supxlabel(f"share of a true class's test {unit}; {unit} in brackets", fontsize=8.5)
    return figure


def _draw_matrix(axes: Axes, confusions: pd.DataFrame, classes: list[str], labelled: bool) -> None:
    shares, counts = (
        confusions.pivot(index="label", columns="predicted", values=column)
        .reindex(index=classes, columns=classes)
        .to_numpy()
        for column in ("rate_mean", "count_mean")
    )
    text = np.empty(shares.shape, dtype=object)
    for place, share in np.ndenumerate(shares):
        text[place] = "–" if np.isnan(share) else f"{share:.2f}"
        if len(classes) <= MOST_WITH_COUNTS and not np.isnan(counts[place]):
            text[place] += f"\n({counts[place]:.1f})"
    seaborn.heatmap(
        np.nan_to_num(shares),
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
