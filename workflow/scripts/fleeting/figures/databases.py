"""Figure 3 of the paper: what each database gives, from its table's rows to the split."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.figures import style

TOTAL = "total"
Bars = Mapping[str, tuple[str, ...]]
#: The bars of each panel: what a legend calls them, and the columns that they are stacked from.
SUBJECTS: Bars = {"subjects": ("subjects",)}
CLIPS: Bars = {"rows read": ("rows",), "usable samples": ("samples",)}
IMAGES: Bars = {
    "three a sample": ("images_expected",),
    "crops": ("crops",),
    "in the split": ("train", "validation", "test"),
}
LOOKS = {"subjects": 6, "rows": 8, "samples": 1, "images_expected": 8, "crops": 1, **style.SPLIT}


def draw(databases: pd.DataFrame) -> Figure:
    """Draw subjects, clips and images of each database as bars with their counts.

    Args:
        databases: the table `evaluation.schemas.DATABASES`; its total row is left out.
    """
    rows = databases[databases["database"] != TOTAL].reset_index(drop=True)
    height = max(2.2, 0.75 + 0.78 * max(1, len(rows)))
    figure = style.new_figure(height=height + 0.35)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(0.75, 1, 1.35))
    contents: tuple[tuple[str, str, Bars], ...] = (
        ("Subjects", "subjects", SUBJECTS),
        ("Clips", "rows of the table", CLIPS),
        ("Images", "images (onset, apex, offset)", IMAGES),
    )
    for panel, (title, unit, bars) in zip(panels, contents, strict=True):
        _bars(panel, rows, bars)
        panel.set_title(title)
        style.counts_axis(panel, unit)
    titles = [style.database_title(name) for name in rows["database"]]
    panels[0].set_yticks(range(len(rows)), titles)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    style.legend_below(figure, panels[1], "left", columns=1)
    style.legend_below(figure, panels[2], "right", columns=3)
    return figure


def _bars(axes: Axes, rows: pd.DataFrame, bars: Bars) -> None:
    thickness = 0.8 / max(2, len(bars))
    sums = {name: rows[list(columns)].sum(axis=1) for name, columns in bars.items()}
    largest = max([1, *(int(count) for counts in sums.values() for count in counts)])
    for index, (name, columns) in enumerate(bars.items()):
        middle = [place + (index - (len(bars) - 1) / 2) * thickness for place in range(len(rows))]
        left = pd.Series(0, index=rows.index)
        for column in columns:
            label = name if len(columns) == 1 else f"{name}: {column}"
            look = style.fill(LOOKS[column])
            axes.barh(middle, rows[column], thickness, left=left, label=label, **look)
            left = left + rows[column]
        for place, count in zip(middle, sums[name], strict=True):
            axes.text(count + 0.02 * largest, place, str(count), va="center", fontsize=8)
    axes.set_xlim(0, 1.22 * largest)
