"""Figure 4 of the paper: images a class, before balancing and after it."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.figures import style

#: The rows of classes.tsv that sum up a class over the databases.
ALL = "all"


def draw(classes: pd.DataFrame) -> Figure:
    """Draw the images of each class by database before balancing, and by part of the split after.

    Args:
        classes: the table `evaluation.schemas.CLASSES`. A class that is left out has bars of no
            length and says so.
    """
    summary = classes[classes["database"] == ALL].drop_duplicates("label").reset_index(drop=True)
    labels = list(summary["label"])
    each = classes[classes["database"] != ALL]
    databases = list(each["database"].unique())
    before = each.pivot_table(
        index="label", columns="database", values="images", aggfunc="sum", fill_value=0
    ).reindex(index=labels, columns=databases, fill_value=0)
    after = summary.set_index("label")[list(style.SPLIT)]
    names = [
        f"{row.label}\n(left out)" if row.left_out else row.label
        for row in summary.itertuples(index=False)
    ]

    figure = style.new_figure(height=1.45 + 0.34 * max(3, len(labels)))
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
    _stack(panels[0], before, {name: 4 + position for position, name in enumerate(databases)})
    _stack(panels[1], after, style.SPLIT)
    panels[0].set_title("Before balancing")
    panels[1].set_title("After balancing and splitting")
    panels[0].set_yticks(range(len(labels)), names)
    panels[0].set_ylim(len(labels) - 0.5, -0.5)
    for panel in panels:
        for cap in sorted({int(cap) for cap in summary["cap"] if cap}):
            panel.axvline(cap, label=f"cap: {cap}", color="black", linestyle=(0, (4, 2)))
        style.counts_axis(panel, "images")
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
