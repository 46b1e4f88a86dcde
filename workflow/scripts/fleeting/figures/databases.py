"""Figure 3 of the paper: what each database gives, from its table's rows to the split."""

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
    "databases": "experiments/{experiment}/tables/databases.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("crop.frames.kind", "input.kind")
CAPTION = (
    'Figure 3 of the paper ("Data Collection"), in numbers: for each database its subjects, the '
    "rows read from its table and the usable samples among them, the images asked for (three a "
    "sample with the paper's onset, apex and offset), the crops made of them and the examples in "
    "the split, or in its first fold where there are several. These are counts: nothing is "
    "estimated and nothing varied. Every row and image that is missing from a bar is listed in the "
    "table of exclusions, every example outside the split in the table of unused examples."
)
TOTAL = "total"
Bars = Mapping[str, tuple[str, ...]]
#: The bars of each panel: what a legend calls them, and the columns that they are stacked from.
SUBJECTS: Bars = {"subjects": ("subjects",)}
CLIPS: Bars = {"rows read": ("rows",), "usable samples": ("samples",)}
#: What the images that a selection asks for are called.
ASKED = {"phases": "three a sample", "pictures": "one a sample"}
LOOKS = {
    **{"subjects": 6, "rows": 8, "samples": 1, "images_expected": 8, "crops": 1, "examples": 5},
    **style.SPLIT,
}


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw subjects, clips and images of each database as bars with their counts."""
    return plot(
        results.read(files["databases"][0], schemas.DATABASES),
        gate.read(files["gate"][0]).folds,
        settings["crop.frames.kind"],
        style.unit(settings["input.kind"]),
    )


def plot(databases: pd.DataFrame, folds: int, selection: str, unit: str) -> Figure:
    """Draw the figure.

    Args:
        databases: the table `evaluation.schemas.DATABASES`; its total row is left out.
        folds: the number of folds; the table's counts of the split are those of the first.
        selection: the selection of frames that the crops are made of.
        unit: what examples are called.
    """
    rows = databases[databases["database"] != TOTAL].reset_index(drop=True)
    images: dict[str, tuple[str, ...]] = {
        ASKED.get(selection, "asked for"): ("images_expected",),
        "crops": ("crops",),
    }
    if (rows["examples"] != rows["crops"]).any():
        images["examples"] = ("examples",)
    images["in the split" if folds == 1 else "in fold 1"] = ("train", "validation", "test")
    title = "images" if unit == "images" else f"images and {unit}"
    phases = " (onset, apex, offset)" if selection == "phases" and title == unit else ""

    height = max(2.2, 0.75 + 0.78 * max(1, len(rows)))
    figure = style.new_figure(height=height + 0.35)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(0.75, 1, 1.35))
    contents: tuple[tuple[str, str, Bars], ...] = (
        ("Subjects", "subjects", SUBJECTS),
        ("Clips", "rows of the table", CLIPS),
        (title.capitalize(), title + phases, images),
    )
    for panel, (heading, counted, bars) in zip(panels, contents, strict=True):
        _bars(panel, rows, bars)
        panel.set_title(heading)
        style.counts_axis(panel, counted)
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
