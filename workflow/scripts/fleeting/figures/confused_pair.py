"""Table 3 of the paper: images of two classes that the model confuses, side by side."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import show_faces, style
from fleeting.drawing.show_faces import Row
from fleeting.evaluation import schemas
from fleeting.evaluation.choices import choice_title, configuration_title
from fleeting.evaluation.schemas import MOST_CONFUSED, PAPERS_PAIR

READS = {
    "pairs": "experiments/{experiment}/tables/table3_confused_pairs.tsv",
    "split": "experiments/{experiment}/split.tsv",
    "annotations": "annotations/{database}.tsv",
    "faces": "faces/{crop}/{database}.tsv",
}
SETTINGS = ("input.kind", "show_faces", "synthetic")
CAPTION = (
    'Table 3 of the paper ("Comparison between happiness and surprise image from CASME datasets"), '
    "and the most confused pair of each choice. Above an arrow is the share of a class's test "
    "examples that was taken for the other class, as the mean over the repeats. These share one "
    "split, unless the protocol draws one for each. Between them the initial weights (of the new "
    "layers alone, where the network is pretrained) and the order of the examples varied; guessing "
    "gives one over the number of classes. The pictures are examples of the two classes, the first "
    "by name; they need not be the ones that were confused. Of an example that is made of several "
    "crops, the first is shown. Faces are shown as ``show_faces`` in the config allows: of nobody, "
    "of synthetic databases (whose faces belong to nobody), or of the subjects listed there; "
    "outlines stand in for all others. Runs that failed are in no mean: the number of repeats is "
    "that of the others."
)
#: The database that the paper takes its two images from.
PAPER_DATABASE = "casme"
#: Characters of a class name on one line; a longer one is wrapped.
LONGEST = 22
#: Both directions between two classes: rows of the table of confused pairs (`schemas.PAIRS`).
Pair = tuple[Row, Row]


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw a row per pair: a crop of each class, or its outline, and the rates between them."""
    pairs = find_pairs(tsv.read_rows(files["pairs"][0], schemas.PAIRS))
    split = tsv.read_rows(files["split"][0], tsv.SPLIT)
    samples = show_faces.read_samples(files["annotations"])
    crops = [row for table in files["faces"] for row in tsv.read_rows(table, tsv.FACES)]
    unit = style.unit(settings["input.kind"])
    rows = max(1, len(pairs))
    figure = style.new_figure(height=0.2 + 2.35 * rows, width=0.85 * style.PAGE_WIDTH)
    panels = figure.subplots(rows, 3, squeeze=False, width_ratios=(1, 0.95, 1))
    for (left, middle, right), pair in zip(panels, pairs, strict=False):
        examples = choose(split, pair, settings)
        for axes, row, example in zip((left, right), pair, examples, strict=True):
            axes.set_title(fill(row["label"], LONGEST), fontweight="bold")
            if not example:
                missing = f"no {unit.removesuffix('s')} in the split"
                show_faces.draw_outline(axes, 1, 1, missing)
                continue
            crop = _first_crop(crops, example)
            if _shown(example, settings):
                show_faces.draw_image(axes, show_faces.read_crop(files["faces"][0], crop))
            else:
                show_faces.draw_outline(axes, 1, 1, "face not shown\n(show_faces in the config)")
            owner = f"{style.database_title(example['database'])}, {example['subject']}"
            which = show_faces.caption(samples[example["sample"]]["clip"], crop["phase"])
            axes.set_xlabel(f"{owner}\n{which}", fontsize=8)
        _draw_rates(middle, pair, unit)
    if not pairs:
        panels[0, 1].text(0.5, 0.5, "No two classes are confused.", ha="center", va="center")
        for axes in panels[0]:
            axes.set_axis_off()
    return figure


def find_pairs(table: Sequence[Row]) -> list[Pair]:
    """The pairs to show: the paper's under the paper's choice, the most confused of each choice."""
    found: dict[tuple[str, ...], Pair] = {}
    for kind, choice in (
        (PAPERS_PAIR, "paper"),
        (MOST_CONFUSED, "paper"),
        (MOST_CONFUSED, "validation"),
        (MOST_CONFUSED, "nested"),
    ):
        rows = [row for row in table if row["pair"] == kind and row["choice"] == choice]
        if len(rows) == 2:
            there, back = rows
            key = tuple(there[name] for name in ("model", "lr", "label", "predicted"))
            found.setdefault(key, (there, back))
    return list(found.values())


def choose(split: Sequence[Row], pair: Pair, settings: Mapping[str, Any]) -> tuple[Row, Row]:
    """An example (a row of the split) of each class of a pair; both empty if a class has none.

    Both are of one database if any has both classes. Databases with two examples that may be shown
    come first, then CASME, from which the paper's images are; of a class, examples that may be
    shown, then apex frames, then test examples.
    """

    def rank(row: Row) -> tuple[object, ...]:
        hidden = not _shown(row, settings)
        return hidden, row["phase"] != "apex", row["split"] != "test", row["example"]

    def best(direction: Row, databases: Collection[str]) -> Row:
        label = direction["label"]
        rows = (row for row in split if row["label"] == label and row["database"] in databases)
        return min(rows, key=rank, default={})

    databases = {row["database"] for row in split}
    found = [(best(pair[0], {name}), best(pair[1], {name})) for name in databases]
    of_one_database = [rows for rows in found if all(rows)]
    if of_one_database:
        return min(
            of_one_database,
            key=lambda rows: (
                not all(_shown(row, settings) for row in rows),
                rows[0]["database"] != PAPER_DATABASE,
                [row["example"] for row in rows],
            ),
        )
    first, second = best(pair[0], databases), best(pair[1], databases)
    return (first, second) if first and second else ({}, {})


def _shown(example: Row, settings: Mapping[str, Any]) -> bool:
    return show_faces.allowed(settings, example["database"], example["subject"])


def _first_crop(crops: Sequence[Row], example: Row) -> Row:
    """The crop of an example that comes first: of its own phase, or else in order of phases.

    Frames without a phase come last.
    """
    return min(
        (crop for crop in crops if crop["sample"] == example["sample"]),
        key=lambda crop: (
            crop["phase"] != (example["phase"] or "onset"),
            tsv.PHASE_ORDER[crop["phase"]],
        ),
    )


def _draw_rates(axes: Axes, pair: Pair, unit: str) -> None:
    """Draw an arrow for each direction, with the share of a class that is taken for the other."""
    row = pair[0]
    configuration = configuration_title(row["model"], row["lr"])
    repeats = style.mean_of(int(row["repeats"]))
    title = f"{row['pair']}\n{choice_title(row['choice'])}:\n{configuration},\n{repeats}"
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.text(0.5, 1, title, ha="center", va="top", fontsize=8)
    for y, row, arrow in ((0.42, pair[0], "-|>"), (0.14, pair[1], "<|-")):
        line = {"arrowstyle": arrow, "color": style.EDGE, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(1, y), xytext=(0, y), arrowprops=line)
        rate = row["rate_mean"]
        share = f"{float(rate):.2f}" if rate else f"no test {unit}"
        axes.text(0.5, y + 0.02, share, ha="center", va="bottom")
        text = fill(f"taken for {row['predicted']}", LONGEST)
        axes.text(0.5, y - 0.02, text, ha="center", va="top", fontsize=8)
    axes.set_axis_off()
