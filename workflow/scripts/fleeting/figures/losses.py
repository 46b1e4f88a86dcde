"""Figure 10 of the paper: one model's training and validation loss, one panel per rate."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.drawing import choices, lines, style
from fleeting.drawing.curves import Curve, curve, last_epoch, rates
from fleeting.evaluation import results, schemas
from fleeting.evaluation.grid import paper_name
from fleeting.splits import gate

READS = {
    "curves": "experiments/{experiment}/evaluation/curves.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "gate": "experiments/{experiment}/split.json",
}
CAPTION = (
    "Figure 10 of the paper: training and validation loss by epoch, a panel for each learning "
    "rate, for the model of the paper's choice. The loss is the mean cross-entropy in nats. The "
    "dotted line is the loss of a model that gives each class the same probability. A validation "
    "loss that rises while the training loss falls is overfitting. A point that would flatten "
    "everything else lies above the axis and is counted in the panel's title. Lines are means over "
    "the repeats, whose number the figure states; all repeats share one split (the mean over its "
    "folds where there are several), and between them only the initial weights (of the new layers "
    "alone, where the network is pretrained) and the order of the examples varied. The band runs "
    "from the lowest to the highest repeat: it shows how far chance in training moves the result. "
    "It is not a confidence interval, since it says nothing of other images or other subjects; one "
    "repeat has no band. Runs that failed are in no mean: where repeats are missing, the number of "
    "those left is given."
)
PARTS = (("train_loss", "training"), ("validation_loss", "validation"))
COLUMNS = 3
#: The axis ends at most this far above the loss at chance, in nats: a run that diverges would
#: flatten all the others. What lies above is counted in its panel.
ROOM_ABOVE_CHANCE = 4.0


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw losses of the model of the paper's choice."""
    return plot(
        results.read(files["curves"][0], schemas.CURVES),
        choices.papers_model(files["choices"][0]),
        len(gate.read(files["gate"][0]).classes),
    )


def plot(frame: pd.DataFrame, model: str, classes: int) -> Figure:
    """Draw `model`'s losses by epoch: training and validation together, one panel per rate.

    Args:
        frame: the curves (`evaluation.schemas.CURVES`) of all models and rates.
        model: the model's name in the table.
        classes: the number of classes; the same probability for each has a loss of its natural
            logarithm.
    """
    chance = math.log(classes)
    panels = {lr: _curves(frame, model, lr) for lr in rates(frame)}
    panels = {lr: drawn for lr, drawn in panels.items() if drawn}
    drawn = [line for found in panels.values() for line in found.values()]
    highest = np.nanmax(np.concatenate([[chance], *(line.high for line in drawn)]))
    top = min(1.05 * float(highest), chance + ROOM_ABOVE_CHANCE)

    columns = min(COLUMNS, max(1, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    figure = style.new_figure(height=0.9 + 2.1 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for index, (lr, found) in enumerate(panels.items()):
        axes = grid[index // columns, index % columns]
        _panel(axes, found, classes, top)
        above = sum(int(np.count_nonzero(line.mean > top)) for line in found.values())
        title = lines.name(f"learning rate {lr}", next(iter(found.values())), frame)
        axes.set_title(title + (f"\n({above} points above the axis)" if above else ""))
        if index % columns == 0:
            axes.set_ylabel("cross-entropy (nats)")
        else:
            axes.tick_params(labelleft=False)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    repeats = lines.repeats_label(drawn).replace("\n", " ")
    figure.suptitle(f"{paper_name(model)}: {repeats}")
    style.legend_below(figure, grid[0, 0], "center", columns=3)
    return figure


def _curves(frame: pd.DataFrame, model: str, lr: str) -> dict[str, Curve]:
    found = {part: curve(frame, model, lr, metric) for metric, part in PARTS}
    return {part: line for part, line in found.items() if line is not None}


def _panel(axes: Axes, found: dict[str, Curve], classes: int, top: float) -> None:
    for position, (part, line) in enumerate(found.items()):
        lines.draw(axes, line, style.look(position), position, part)
    chance = math.log(classes)
    axes.axhline(chance, label=f"chance: ln {classes} = {chance:.2f}", **style.CHANCE)
    axes.set_ylim(0, top)
    style.epochs_axis(axes, last_epoch(list(found.values())))
