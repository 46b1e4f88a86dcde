"""Figure 4 of the paper: the examples of each class, before balancing and after it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.drawing import style
from fleeting.evaluation import results, schemas
from fleeting.splits import gate

READS = {
    "classes": "experiments/{experiment}/tables/classes.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("input.kind",)
CAPTION = (
    'Figure 4 of the paper ("Data filtering into classes"), in numbers. Left: the examples of each '
    "class by database before the split, a picture counted once. Right: those in the split, or in "
    "its first fold where there are several; a dashed line is the largest number that the protocol "
    "draws of a class. These are counts of one draw, which all repeats share. A class that falls "
    "short is not filled up with copies; a class that no listed database has is left out."
)
#: The rows of classes.tsv that sum up a class over the databases.
ALL = "all"


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the examples of each class by database before the split, and by part of it after."""
    return plot(
        results.read(files["classes"][0], schemas.CLASSES),
        gate.read(files["gate"][0]).folds,
        style.unit(settings["input.kind"]),
    )


def plot(classes: pd.DataFrame, folds: int, unit: str) -> Figure:
    """Draw the figure.

    Args:
        classes: the table `evaluation.schemas.CLASSES`. A class that is left out has bars of no
            length and says so.
        folds: the number of folds; the table's counts of the split are those of the first.
        unit: what examples are called.
    """
    summary = classes[classes["database"] == ALL].drop_duplicates("label").reset_index(drop=True)
    labels = list(summary["label"])
    each = classes[classes["database"] != ALL]
    databases = list(each["database"].unique())
    before = each.pivot_table(
        index="label", columns="database", values="examples", aggfunc="sum", fill_value=0
    ).reindex(index=labels, columns=databases, fill_value=0)
    split = summary.set_index("label")[list(style.SPLIT)]
    names = [
        f"{row.label}\n(left out)" if row.left_out else row.label
        for row in summary.itertuples(index=False)
    ]

    figure = style.new_figure(height=1.45 + 0.34 * max(3, len(labels)))
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
    _stack(panels[0], before, {name: 4 + position for position, name in enumerate(databases)})
    _stack(panels[1], split, style.SPLIT)
    caps = sorted({int(cap) for cap in summary["cap"] if cap})
    step, after = "balancing", "After balancing and splitting"
    if not caps:
        step, after = "splitting", "After splitting"
    panels[0].set_title(f"Before {step}")
    panels[1].set_title(after if folds == 1 else f"{after} (fold 1 of {folds})")
    panels[0].set_yticks(range(len(labels)), names)
    panels[0].set_ylim(len(labels) - 0.5, -0.5)
    for panel in panels:
        for cap in caps:
            panel.axvline(cap, label=f"cap: {cap}", color="black", linestyle=(0, (4, 2)))
        style.counts_axis(panel, unit)
    style.legend_below(figure, panels[0], "left", columns=3)
    style.legend_below(figure, panels[1], "right", columns=2)
    return figure


def _stack(axes: Axes, counts: pd.DataFrame, looks: Mapping[str, int]) -> None:
    left = pd.Series(0, index=counts.index)
    for column, look in looks.items():
        axes.barh(
            range(len(counts)),
            counts[column],
            0.7,
            left=left,
            label=style.database_title(column),
            **style.fill(look),
        )
        left = left + counts[column]
    largest = max([1, *left])
    for place, count in enumerate(left):
        axes.text(count + 0.02 * largest, place, str(count), va="center", fontsize=8)
    axes.set_xlim(0, 1.15 * largest)
