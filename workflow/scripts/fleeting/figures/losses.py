"""Figure 10 of the paper: one model's training and validation loss, a panel a learning rate."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleeting.evaluation.grid import paper_name
from fleeting.figures import lines, style
from fleeting.figures.curves import Curve, curve, last_epoch, rates

PARTS = (("train_loss", "training"), ("validation_loss", "validation"))
COLUMNS = 3
#: The axis ends at most this far above the loss at chance, in nats: a run that diverges would
#: flatten all the others. What lies above is counted in its panel.
ROOM_ABOVE_CHANCE = 4.0


def draw(frame: pd.DataFrame, model: str, classes: int) -> Figure:
    """Draw `model`'s losses by epoch: training and validation together, one panel a rate.

    Args:
        frame: the collected curves (`evaluation.schemas.CURVES`) of all models and rates.
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
