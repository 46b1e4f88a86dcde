"""What the best of N runs for each test subject would have claimed, for every experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fleeting.drawing import style
from fleeting.evaluation import schemas
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title
from fleeting.evaluation.summary import Summary

SCOPE = "comparison"
READS = {
    "best_of_runs": "experiments/{experiment}/evaluation/best_of_runs.tsv",
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
}
CAPTION = (
    "How high a score becomes by choosing on the test set, without any training more: for each "
    "test subject, the best of N runs of the experiment's grid (all models, learning rates and "
    "repeats) is the one with the most correct predictions of that subject; what these runs "
    "predicted is pooled and scored. Where a protocol has a subject on both sides of a fold, the "
    "best run is taken for each test example. The curve is the mean over at least 100 random "
    "orders of the runs, the earliest of equally good ones taken; at N = 1 it is the mean over all "
    "runs, among which nothing was chosen. The dashed lines are the "
    "scores of the (model, learning rate) with the highest validation accuracy, the mean over its "
    "repeats, between which the initial weights, the order of the examples and, where the protocol "
    "draws one for each, the split varied. The dotted "
    "line is UAR by chance, guessing each class equally often. Runs that failed are in no mean."
)
#: How many panels stand side by side, and the size of one in inches.
COLUMNS = 3
HEIGHT = 1.75
#: UF1 and UAR: both can be seen where they are equal.
CURVES: tuple[dict[str, Any], ...] = (
    {"color": style.LINE_COLOURS[0], "linewidth": 2.6},
    {"color": style.LINE_COLOURS[1], "linewidth": 1.1},
)
CHOICE_LINES: tuple[dict[str, Any], ...] = (
    {"color": style.LINE_COLOURS[0], "linewidth": 1.1, "linestyle": (0, (4, 4))},
    {"color": style.LINE_COLOURS[1], "linewidth": 1.1, "linestyle": (4, (4, 4))},
)
#: Characters of an experiment's name on one line.
LONGEST = 28


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one panel per experiment."""
    count = len(files["best_of_runs"])
    rows = -(-count // COLUMNS)
    figure = style.new_figure(height=0.85 + HEIGHT * rows)
    panels = figure.subplots(rows, min(count, COLUMNS), squeeze=False, sharey=True).ravel()
    for place, axes in enumerate(panels):
        if place >= count:
            axes.set_axis_off()
            continue
        path = files["best_of_runs"][place]
        name = path.parents[1].name
        claimed = schemas.read(path, schemas.BEST_OF_RUNS)
        summary = Summary(files, place)
        unit, units = claimed[["unit", "units"]].iloc[0]
        axes.set_title(style.wrapped_name(name, LONGEST))
        axes.set_xlabel(f"best of N runs for each of\n{units:.0f} test {unit}s")
        _draw_curves(axes, claimed, summary)
        axes.axhline(summary.chance, **style.CHANCE)
    for axes in panels[:: min(count, COLUMNS)]:
        axes.set_ylabel("score")
    panels[0].set_ylim(-0.03, 1.03)
    figure.legend(*_legend(), loc="outside lower center", ncols=3)
    return figure


def _draw_curves(axes: Axes, claimed: pd.DataFrame, summary: Summary) -> None:
    """Draw both metrics; of a single run there is one point."""
    choice = summary.choice("validation")
    for position, metric in enumerate(CLASS_AVERAGES):
        marker = style.LINE_MARKERS[position] if len(claimed) == 1 else ""
        axes.plot(claimed["runs"], claimed[metric], **CURVES[position], marker=marker)
        chosen = summary.spread(choice.model, choice.lr, metric)["mean"]
        axes.axhline(chosen, **CHOICE_LINES[position])
    axes.set_xscale("log")
    axes.set_xlim(0.9, max(2, len(claimed)) * 1.12)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if tick <= len(claimed)]
    axes.set_xticks(ticks, map(str, ticks))
    axes.set_xticks([], minor=True)


def _legend() -> tuple[list[Line2D], list[str]]:
    """Handles and labels, the same for all panels."""
    handles, labels = [], []
    for position, metric in enumerate(CLASS_AVERAGES):
        handles += [Line2D([], [], **CURVES[position]), Line2D([], [], **CHOICE_LINES[position])]
        title = metric_title(metric)
        labels += [f"{title}, best of N runs", f"{title}, chosen on validation"]
    return [*handles, Line2D([], [], **style.CHANCE)], [*labels, "UAR by chance"]
