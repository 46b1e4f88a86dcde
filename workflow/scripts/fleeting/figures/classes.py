"""Figure 4 of the paper: the examples of each class, before balancing and after it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fleeting.drawing import bars, style
from fleeting.evaluation import schemas
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
    """Draw the examples of each class by database before the split, and by role after it."""
    table = schemas.read(files["classes"][0], schemas.CLASSES)
    folds = gate.read(files["gate"][0]).folds
    classes = table[table["database"] == ALL].set_index("label")
    by_database = table[table["database"] != ALL].set_index("label")
    names = [
        f"{name}\n(left out)" if left_out else name
        for name, left_out in classes["left_out"].items()
    ]
    caps = sorted({int(cap) for cap in classes["cap"] if cap})
    before = [
        (
            style.database_title(str(database)),
            rows["examples"].reindex(classes.index, fill_value=0),
            bar,
        )
        for bar, (database, rows) in enumerate(by_database.groupby("database", sort=False), 4)
    ]
    after = [(role, classes[role], bar) for role, bar in bars.ROLE_STYLES.items()]

    figure = style.new_figure(height=1.45 + 0.34 * max(3, len(names)))
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
    positions = range(len(names))
    for panel, parts in zip(panels, (before, after), strict=True):
        sums = bars.stack(panel, positions, 0.7, parts)
        bars.write_sums(panel, positions, sums, style.unit(settings["input.kind"]), room=1.15)
        for cap in caps:
            panel.axvline(cap, label=f"cap: {cap}", color="black", linestyle=(0, (4, 2)))
    panels[0].set_title("Before balancing" if caps else "Before splitting")
    title = "After balancing and splitting" if caps else "After splitting"
    panels[1].set_title(title if folds == 1 else f"{title} (fold 1 of {folds})")
    panels[0].set_yticks(positions, names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    style.legend_below(figure, panels[0], "left", columns=3)
    style.legend_below(figure, panels[1], "right", columns=2)
    return figure
