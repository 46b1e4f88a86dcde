"""Table 3 of the paper: images of two classes that the model confuses, side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import pictures, samples, style
from fleeting.drawing.permission import Permission
from fleeting.drawing.samples import Sample
from fleeting.evaluation import results, schemas
from fleeting.evaluation.grid import paper_name
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
    "examples that was taken for the other class, as the mean over the repeats on one split, "
    "between which only the initial weights (of the new layers alone, where the network is "
    "pretrained) and the order of the examples varied; guessing gives one over the number of "
    "classes. The pictures are examples of the two classes, the first by name; they need not be "
    "the ones that were confused. Of an example that is made of several crops, the first is shown. "
    "Faces are shown as ``show_faces`` in the config allows: of nobody, of synthetic databases "
    "(whose faces belong to nobody), or of the subjects listed there; outlines stand in for all "
    "others. Runs that failed are in no mean: the number of repeats is that of the others."
)
Row = Mapping[Any, Any]
#: The database that the paper takes its two images from.
PAPER_DATABASE = "casme"
#: Characters of a class name on one line; a longer one is wrapped.
LONGEST = 22


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the pairs of table 3 with a picture of each class."""
    return plot(
        pairs(results.read(files["pairs"][0], schemas.PAIRS)),
        tsv.read(files["split"][0], tsv.SPLIT),
        Crops(
            pictures.results_folder(files["faces"][0]),
            [row for path in files["faces"] for row in tsv.read_rows(path, tsv.FACES)],
            samples.read(files["annotations"]),
            Permission.of(settings),
        ),
        style.unit(settings["input.kind"]),
    )


@dataclass(frozen=True)
class Pair:
    """Two classes, and how often each is taken for the other (share of its test examples)."""

    title: str
    first: str
    second: str
    first_as_second: float
    second_as_first: float


def pairs(table: pd.DataFrame) -> list[Pair]:
    """The pairs to show: the paper's under the paper's choice, the most confused of each choice.

    Args:
        table: table3_confused_pairs (`evaluation.schemas.PAIRS`), numbers as numbers.
    """
    found: dict[tuple[str, str, str, str], Pair] = {}
    for pair, choice in ((PAPERS_PAIR, "paper"), (MOST_CONFUSED, "paper"), (MOST_CONFUSED, None)):
        of_pair = table[table["pair"] == pair]
        for name, rows in of_pair.groupby("choice", sort=False):
            if choice in (None, name) and len(rows) == 2:
                there, back = rows.iloc[0], rows.iloc[1]
                key = (there["model"], there["lr"], there["label"], there["predicted"])
                configuration = f"{paper_name(there['model'])} at {there['lr']}"
                count = int(there["repeats"])
                repeats = "1 repeat" if count == 1 else f"mean of {count} repeats"
                title = f"{pair}\n{style.choice_title(str(name))}:\n{configuration},\n{repeats}"
                rates = there["rate_mean"], back["rate_mean"]
                found.setdefault(key, Pair(title, there["label"], there["predicted"], *rates))
    return list(found.values())


@dataclass(frozen=True)
class Crops:
    """The crops of all databases (`tsv.FACES`), below `root`, and whose may be shown."""

    root: Path
    faces: Sequence[Row]
    known: Mapping[str, Sample]
    permission: Permission

    def first_crop(self, example: Row) -> Row:
        """The crop of an example that comes first: of its own phase, or else in order of phases."""
        crops = [crop for crop in self.faces if crop["sample"] == example["sample"]]
        own = [crop for crop in crops if crop["phase"] == example["phase"]]
        return min(own or crops, key=lambda crop: ("", *tsv.PHASES).index(crop["phase"]))


def choose(split: pd.DataFrame, pair: Pair, permission: Permission) -> tuple[Row, Row] | None:
    """An example (a row of the split) of each class of a pair; None if one of them has none.

    Both are of one database if any has both classes. Databases with two examples that may be shown
    come first, then CASME, from which the paper's images are; of a class, examples that may be
    shown, then apex frames, then test examples.

    Args:
        split: the experiment's split (`tsv.SPLIT`).
        pair: the classes.
        permission: whose faces may be shown.
    """
    rows = split[split["label"].isin([pair.first, pair.second])]
    owners = zip(rows["database"], rows["subject"], strict=True)
    ranked = rows.assign(
        hidden=[not permission.allows(database, subject) for database, subject in owners],
        other_phase=rows["phase"] != "apex",
        other_part=rows["split"] != "test",
    ).sort_values(["hidden", "other_phase", "other_part", "example"], kind="stable")
    firsts, seconds = (ranked[ranked["label"] == label] for label in (pair.first, pair.second))
    if firsts.empty or seconds.empty:
        return None
    candidates = []
    for database in sorted(set(firsts["database"]) & set(seconds["database"])):
        first, second = (
            each[each["database"] == database].iloc[0].to_dict() for each in (firsts, seconds)
        )
        hidden = first["hidden"] or second["hidden"]
        order = (hidden, database != PAPER_DATABASE, first["example"], second["example"])
        candidates.append((order, first, second))
    if not candidates:
        return firsts.iloc[0].to_dict(), seconds.iloc[0].to_dict()
    _, first, second = min(candidates, key=lambda candidate: candidate[0])
    return first, second


def plot(shown: Sequence[Pair], split: pd.DataFrame, source: Crops, unit: str) -> Figure:
    """Draw one row per pair: the two crops (outlines of faces that may not be shown) and the rates.

    Args:
        shown: the pairs to show.
        split: the experiment's split (`tsv.SPLIT`).
        source: the crops.
        unit: what examples are called.
    """
    figure = style.new_figure(height=0.2 + 2.35 * max(1, len(shown)), width=0.85 * style.PAGE_WIDTH)
    panels = figure.subplots(max(1, len(shown)), 3, squeeze=False, width_ratios=(1, 0.95, 1))
    if not shown:
        panels[0, 1].text(0.5, 0.5, "No two classes are confused.", ha="center", va="center")
    for row, pair in zip(panels, shown, strict=False):
        left, middle, right = row
        examples = choose(split, pair, source.permission) or (None, None)
        for axes, example in zip((left, right), examples, strict=True):
            if example is None:
                pictures.stand_in(axes, 1, 1, f"no {unit.removesuffix('s')} in the split")
            else:
                _picture(axes, example, source)
        left.set_title(fill(pair.first, LONGEST), fontweight="bold")
        right.set_title(fill(pair.second, LONGEST), fontweight="bold")
        _rates(middle, pair, unit)
    for axes in panels[:, 1] if shown else panels.ravel():
        axes.set_axis_off()
    return figure


def _picture(axes: Axes, example: Row, source: Crops) -> None:
    crop = source.first_crop(example)
    sample = source.known[crop["sample"]]
    if source.permission.allows(sample.database, sample.subject):
        pictures.show(axes, pictures.read_crop(source.root, crop["path"], crop["sha256"]))
    else:
        pictures.stand_in(axes, 1, 1, "face not shown\n(show_faces in the config)")
    what = ", ".join(part for part in (sample.clip, crop["phase"]) if part)
    axes.set_xlabel(f"{sample.database_title}, {sample.subject}\n{what}", fontsize=8)


def _rates(axes: Axes, pair: Pair, unit: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.text(0.5, 1, pair.title, ha="center", va="top", fontsize=8)
    for height, rate, text, arrow in (
        (0.42, pair.first_as_second, fill(f"taken for {pair.second}", LONGEST), "-|>"),
        (0.14, pair.second_as_first, fill(f"taken for {pair.first}", LONGEST), "<|-"),
    ):
        line = {"arrowstyle": arrow, "color": "#222222", "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", xy=(1, height), xytext=(0, height), arrowprops=line)
        share = f"no test {unit}" if math.isnan(rate) else f"{rate:.2f}"
        axes.text(0.5, height + 0.02, share, ha="center", va="bottom")
        axes.text(0.5, height - 0.02, text, ha="center", va="top", fontsize=8)
