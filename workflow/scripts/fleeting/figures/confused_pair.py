"""Table 3 of the paper: images of two classes that the model confuses, side by side."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.evaluation.confused_pairs import MOST_CONFUSED, PAPERS_PAIR
from fleeting.evaluation.grid import paper_name
from fleeting.figures import pictures, style
from fleeting.figures.permission import ShowFaces, may_show
from fleeting.paths import crop_path

#: The database that the paper takes its two images from.
PAPER_DATABASE = "casme"
#: Characters of a class name on one line; a longer one goes on below.
LONGEST = 22


@dataclass(frozen=True)
class Pair:
    """Two classes, and how often each is taken for the other (share of its test images)."""

    title: str
    first: str
    second: str
    first_as_second: float
    second_as_first: float


def pairs(table: pd.DataFrame) -> list[Pair]:
    """The pairs to show: the paper's under the paper's choice, the most confused of each choice.

    Args:
        table: table3_confused_pairs (`evaluation.confused_pairs.PAIRS`), numbers as numbers.
    """
    found: dict[tuple[str, str, str, str], Pair] = {}
    for pair, choice in ((PAPERS_PAIR, "paper"), (MOST_CONFUSED, "paper"), (MOST_CONFUSED, None)):
        of_pair = table[table["pair"] == pair]
        for name, rows in of_pair.groupby("choice", sort=False):
            if choice in (None, name) and len(rows) == 2:
                there, back = rows.iloc[0], rows.iloc[1]
                key = (there["model"], there["lr"], there["label"], there["predicted"])
                cell = f"{paper_name(there['model'])} at {there['lr']}"
                count = int(there["repeats"])
                repeats = "1 repeat" if count == 1 else f"mean of {count} repeats"
                title = f"{pair}\n{style.choice_title(str(name))}:\n{cell},\n{repeats}"
                rates = there["rate_mean"], back["rate_mean"]
                found.setdefault(key, Pair(title, there["label"], there["predicted"], *rates))
    return list(found.values())


def choose(
    split: pd.DataFrame, pair: Pair, show_faces: ShowFaces, synthetic: Collection[str]
) -> tuple[str, str] | None:
    """An image of each class of a pair; None if one of them has no image in the split.

    Both are of one database if any has both classes. Databases with two images that may be shown
    come first, then CASME, from which the paper's images are; of a class, images that may be
    shown, then apex frames, then test images.

    Args:
        split: the experiment's split (`tables.SPLITS`).
        pair: the classes.
        show_faces: the config's value.
        synthetic: the databases whose faces this project drew itself.
    """
    ranked = split.assign(
        hidden=[not may_show(image, show_faces, synthetic) for image in split["image"]],
        other_phase=split["phase"] != "apex",
        other_part=split["split"] != "test",
    ).sort_values(["hidden", "other_phase", "other_part", "image"])
    firsts, seconds = (ranked[ranked["label"] == label] for label in (pair.first, pair.second))
    if firsts.empty or seconds.empty:
        return None
    both = set(firsts["database"]) & set(seconds["database"])
    candidates = []
    for database in sorted(both):
        of_database = [rows[rows["database"] == database].iloc[0] for rows in (firsts, seconds)]
        hidden = any(row["hidden"] for row in of_database)
        names = tuple(row["image"] for row in of_database)
        candidates.append((hidden, database != PAPER_DATABASE, names))
    if not candidates:
        return firsts["image"].iloc[0], seconds["image"].iloc[0]
    first, second = min(candidates)[2]
    return first, second


def draw(
    shown: Sequence[Pair],
    split: pd.DataFrame,
    results: Path,
    crop: str,
    show_faces: ShowFaces,
    synthetic: Collection[str],
) -> Figure:
    """Draw a row a pair: the two crops, or outlines where a face may not be shown, and the rates.

    Args:
        shown: the pairs to show.
        split: the experiment's split (`tables.SPLITS`).
        results: the results folder, which holds the crops.
        crop: the name of the crop settings.
        show_faces: the config's value.
        synthetic: the databases whose faces this project drew itself.
    """
    figure = style.new_figure(height=0.2 + 2.35 * max(1, len(shown)), width=0.85 * style.PAGE_WIDTH)
    panels = figure.subplots(max(1, len(shown)), 3, squeeze=False, width_ratios=(1, 0.95, 1))
    if not shown:
        panels[0, 1].text(0.5, 0.5, "No two classes are confused.", ha="center", va="center")
    for row, pair in zip(panels, shown, strict=False):
        left, middle, right = row
        images = choose(split, pair, show_faces, synthetic)
        for axes, image in zip((left, right), images or ("", ""), strict=True):
            _picture(axes, image, results, crop, show_faces, synthetic)
        left.set_title(fill(pair.first, LONGEST), fontweight="bold")
        right.set_title(fill(pair.second, LONGEST), fontweight="bold")
        _rates(middle, pair)
    for axes in panels[:, 1] if shown else panels.ravel():
        axes.set_axis_off()
    return figure


def _picture(
    axes: Axes,
    image: str,
    results: Path,
    crop: str,
    show_faces: ShowFaces,
    synthetic: Collection[str],
) -> None:
    if not image:
        pictures.stand_in(axes, 1, 1, "no image in the split")
        return
    database, subject, clip, _, phase = image.split("/")
    if may_show(image, show_faces, synthetic):
        pictures.show(axes, pictures.read(results, crop_path(crop, image)))
    else:
        pictures.stand_in(axes, 1, 1, "face not shown\n(show_faces in the config)")
    caption = f"{style.database_title(database)}, {subject}\n{clip}, {phase}"
    axes.set_xlabel(caption, fontsize=8)


def _rates(axes: Axes, pair: Pair) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.text(0.5, 1, pair.title, ha="center", va="top", fontsize=8)
    for height, rate, text, arrow in (
        (0.42, pair.first_as_second, fill(f"taken for {pair.second}", LONGEST), "-|>"),
        (0.14, pair.second_as_first, fill(f"taken for {pair.first}", LONGEST), "<|-"),
    ):
        line = {"arrowstyle": arrow, "color": "#222222", "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(1, height), xytext=(0, height), arrowprops=line)
        share = "no test images" if math.isnan(rate) else f"{rate:.2f}"
        axes.text(0.5, height + 0.02, share, ha="center", va="bottom")
        axes.text(0.5, height - 0.02, text, ha="center", va="top", fontsize=8)
