"""The leak meter: for every experiment, what would have been claimed beside what was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fleeting.drawing import style
from fleeting.evaluation import schemas
from fleeting.evaluation.intervals import BOOTSTRAP
from fleeting.evaluation.leak_measures import MEASURES, measure_text
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title
from fleeting.splits import permute

SCOPE = "comparison"
READS = {"meter": "comparison/leak_meter.tsv"}
SETTINGS = ()
CAPTION = (
    "What leaks. For every experiment, first the score of the (model, learning rate) with the "
    "highest validation accuracy (black), the mean over its repeats, between which the initial "
    "weights, the order of the examples and, where the protocol draws one for each, the split "
    "varied; the line is its 95% interval over subjects and repeats, the trained models held fixed "
    "(dotted: the range without one subject, where they are too few). Below it what would have "
    "been claimed (filled) and what it is compared with (open): a matched protocol, in which test "
    "subjects (or clips) are also trained on, with the experiment that it is matched to; the best "
    "run of the grid for each test subject (for each test example, where subjects are on both "
    "sides of a fold), with the choice on validation examples; the best epoch for all folds and "
    "for each subject, with the last epoch. Where labels are permuted, all that a score is above "
    "chance comes from choosing and from the protocol. At the right, how well subject and database "
    "are recognised from the examples by the nearest neighbour, the own recording (the own "
    "subject) left out. Dotted: chance, guessing each class equally often, or a random neighbour. "
    "The numbers and the intervals of the differences are in the tables matched and leak_meter. "
    "Runs that failed are in no mean."
)
#: The height of a row and of what is above and below the rows, in inches.
ROW, MARGIN = 0.19, 1.2
#: The distance of two experiments, in rows.
GAP = 1.6
#: The measure that stands beside the name of an experiment.
FIRST_MEASURE = "validation_choice"
#: What is recognised from the examples, with its marker; the colours follow those of the measures.
RECOGNISED = {"subject": "P", "database": "X"}
LINE: dict[str, Any] = {"linewidth": 1.3, "solid_capstyle": "butt", "zorder": 2}


@dataclass(frozen=True)
class Place:
    """Where an experiment is drawn: the height of each of its measures, from above."""

    name: str
    rows: pd.DataFrame
    heights: Mapping[str, float]

    @property
    def names(self) -> list[str]:
        """What stands beside each height: the experiment, then its other measures."""
        first = self.rows.drop_duplicates("measure").to_dict("records")
        texts = {row["measure"]: measure_text(row) for row in first if row["measure"] in MEASURES}
        return [
            self.name,
            *(texts[measure] for measure in self.heights if measure != FIRST_MEASURE),
        ]


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the experiments from above; a panel for each score, and one for what is recognised."""
    places = _places(schemas.read(files["meter"][0], schemas.LEAK_METER))
    bottom = max(places[-1].heights.values())
    figure = style.new_figure(height=MARGIN + ROW * (bottom + 1))
    panels = figure.subplots(1, 3, sharey=True, width_ratios=[1, 1, 0.8])
    for metric, axes in zip(CLASS_AVERAGES, panels, strict=False):
        axes.set_title(metric_title(metric))
        for place in places:
            _draw_scores(axes, place, metric)
    panels[2].set_title("recognised")
    for place in places:
        _draw_recognised(panels[2], place)
    for axes in panels:
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    heights = [height for place in places for height in place.heights.values()]
    panels[0].set_yticks(heights, [name for place in places for name in place.names], fontsize=7)
    starts = {place.heights[FIRST_MEASURE] for place in places}
    for height, label in zip(heights, panels[0].get_yticklabels(), strict=True):
        label.set_fontweight("bold" if height in starts else "normal")
    panels[0].set_ylim(bottom + 0.7, -0.7)
    figure.legend(*_legend(places), loc="outside lower center", ncols=3)
    return figure


def _places(meter: pd.DataFrame) -> list[Place]:
    places, height = [], 0.0
    for name, rows in meter.groupby("experiment", sort=False):
        unit = rows["permuted_by"].iloc[0]
        title = f"{name} ({permute.describe(unit)})" if unit else str(name)
        measures = [measure for measure in MEASURES if measure in set(rows["measure"])]
        heights = {measure: height + row for row, measure in enumerate(measures)}
        places.append(Place(title, rows, heights))
        height += len(measures) - 1 + GAP
    return places


def _look(measure: str) -> dict[str, Any]:
    """Colour and marker of a measure; black is that of validation's choice."""
    position = list(MEASURES).index(measure)
    look = style.line_style((position - 1) % len(MEASURES)) | {"linestyle": "none"}
    return look | {"color": "#000000"} if measure == FIRST_MEASURE else look


def _draw_scores(axes: Axes, place: Place, metric: str) -> None:
    """Draw one experiment's measures of a score, each with a line from what it is against."""
    own = place.rows[place.rows["metric"] == metric].set_index("measure")
    low, high = min(place.heights.values()) - 0.45, max(place.heights.values()) + 0.45
    chance = own["chance"].iloc[0]
    axes.plot([chance, chance], [low, high], **style.CHANCE)
    for measure, y in place.heights.items():
        row, look = own.loc[measure], _look(measure)
        if measure == FIRST_MEASURE:
            ends = [row["interval_low"], row["interval_high"]]
            style_of_line = "-" if row["interval"] == BOOTSTRAP else (0, (1, 1))
            axes.plot(ends, [y, y], color=look["color"], linestyle=style_of_line, **LINE)
        else:
            axes.plot([row["against"], row["value"]], [y, y], color=look["color"], **LINE)
            open_look = {**look, "marker": "o", "markerfacecolor": "white", "markersize": 3.5}
            axes.plot([row["against"]], [y], **open_look, zorder=3)
        axes.plot([row["value"]], [y], **look, markersize=4.5, zorder=4)


def _draw_recognised(axes: Axes, place: Place) -> None:
    """Draw what is recognised from the examples, chance as a mark below and above each point."""
    y = place.heights[FIRST_MEASURE]
    rows = place.rows[place.rows["measure"] == "recognised"].to_dict("records")
    for offset, row in enumerate(rows):
        look = _recognised_look(row["metric"])
        axes.plot([row["value"]], [y + offset], **look, markersize=5.5, zorder=4)
        chance = [row["chance"]] * 2
        axes.plot(chance, [y + offset - 0.4, y + offset + 0.4], **style.CHANCE)


def _recognised_look(target: str) -> dict[str, Any]:
    position = len(MEASURES) + list(RECOGNISED).index(target)
    return {
        "color": style.LINE_COLOURS[position],
        "marker": RECOGNISED[target],
        "linestyle": "none",
    }


def _legend(places: Sequence[Place]) -> tuple[list[Line2D], list[str]]:
    """Handles and labels; the rows themselves say which measure they show."""
    shown = {name for place in places for name in place.rows["metric"]} & set(RECOGNISED)
    grey: dict[str, Any] = {"color": "#888888", "marker": "o", "linestyle": "none"}
    handles = [
        Line2D([], [], **_look(FIRST_MEASURE)),
        Line2D([], [], **grey, markersize=4.5),
        Line2D([], [], **grey, markerfacecolor="white", markersize=3.5),
        *(Line2D([], [], **_recognised_look(name)) for name in RECOGNISED if name in shown),
        Line2D([], [], **style.CHANCE),
    ]
    labels = ["chosen on validation", "claimed (in colours)", "what it is compared with"]
    labels += [f"{name} recognised" for name in RECOGNISED if name in shown]
    return handles, [*labels, "chance"]
