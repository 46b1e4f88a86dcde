"""Figure 3 of the paper: what each database gives, from its table's rows to the split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.drawing import bars, style
from fleeting.evaluation import schemas
from fleeting.splits import gate

READS = {
    "databases": "experiments/{experiment}/tables/databases.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("crop.frames", "input.kind")
CAPTION = (
    'Figure 3 of the paper ("Data Collection"), in numbers: for each database its subjects, the '
    "rows read from its table and the usable samples among them, the images asked for (three a "
    "sample with the paper's onset, apex and offset), the crops made of them and the examples in "
    "the split, or in its first fold where there are several. These are counts: nothing is "
    "estimated and nothing varied. Every row and image that is missing from a bar is listed in the "
    "table of exclusions, every example outside the split in the table of unused examples."
)
TOTAL = "total"
#: What the images that a selection asks for are called.
ASKED = {"phases": "three a sample", "pictures": "one a sample"}
#: The style of each column's bars.
STYLES = {
    **{"subjects": 6, "rows": 8, "samples": 1, "images_expected": 8, "crops": 1, "examples": 5},
    **bars.ROLE_STYLES,
}


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw subjects, clips and images of each database as bars with their counts."""
    table = schemas.read(files["databases"][0], schemas.DATABASES)
    table = table[table["database"] != TOTAL]
    folds = gate.read(files["gate"][0]).folds
    unit = style.unit(settings["input.kind"])
    frames = settings["crop.frames"]
    # With the neutral frame, the phases are not all that is asked for.
    selection = "" if frames.get("neutral") else frames["kind"]
    # By a bar's name in the legend, the columns that it is stacked of.
    images = {ASKED.get(selection, "asked for"): ["images_expected"], "crops": ["crops"]}
    if (table["examples"] != table["crops"]).any():
        images["examples"] = ["examples"]
    images["in the split" if folds == 1 else "in fold 1"] = list(bars.ROLE_STYLES)
    title = "images" if unit == "images" else f"images and {unit}"
    phases = " (onset, apex, offset)" if selection == "phases" and title == unit else ""

    figure = style.new_figure(height=0.35 + max(2.2, 0.75 + 0.78 * max(1, len(table))))
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(0.75, 1, 1.35))
    _draw_bars(panels[0], table, {"subjects": ["subjects"]}, "Subjects", "subjects")
    clips = {"rows read": ["rows"], "usable samples": ["samples"]}
    _draw_bars(panels[1], table, clips, "Clips", "rows of the table")
    _draw_bars(panels[2], table, images, title.capitalize(), title + phases)
    names = [style.database_title(name) for name in table["database"]]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    style.legend_below(figure, panels[1], "left", columns=1)
    style.legend_below(figure, panels[2], "right", columns=3)
    return figure


def _draw_bars(
    axes: Axes, table: pd.DataFrame, columns: Mapping[str, list[str]], title: str, unit: str
) -> None:
    """Draw the bars of each database one below the other."""
    thickness = 0.8 / max(2, len(columns))
    positions: list[float] = []
    sums: list[int] = []
    for index, (name, stacked) in enumerate(columns.items()):
        offset = (index - (len(columns) - 1) / 2) * thickness
        middles = [row + offset for row in range(len(table))]
        parts = [
            (name if len(stacked) == 1 else f"{name}: {column}", table[column], STYLES[column])
            for column in stacked
        ]
        sums += bars.stack(axes, middles, thickness, parts)
        positions += middles
    bars.write_sums(axes, positions, sums, unit, room=1.22)
    axes.set_title(title)
