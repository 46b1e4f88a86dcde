"""Figure 10 of the paper: one model's training and validation loss, one panel per rate."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fleeting.drawing import choices, curves, style
from fleeting.evaluation.paper_values import paper_name
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
COLUMNS = 3
#: The axis ends at most this far above the loss at chance, in nats: a run that diverges would
#: flatten all the others. What lies above is counted in its panel.
ROOM_ABOVE_CHANCE = 4.0


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw losses of the model of the paper's choice: training and validation, a panel per rate."""
    table = curves.read(files["curves"][0])
    model = choices.papers_model(files["choices"][0])
    classes = len(gate.read(files["gate"][0]).classes)
    chance = math.log(classes)
    panels = {}
    for lr in curves.rates(table):
        training = curves.curve(table, model, lr, "train_loss", "training", 0)
        validation = curves.curve(table, model, lr, "validation_loss", "validation", 1)
        if training and validation:
            panels[lr] = [training, validation]
    drawn = [curve for found in panels.values() for curve in found]
    highest = np.nanmax(np.concatenate([[chance], *(curve.high for curve in drawn)]))
    top = min(1.05 * float(highest), chance + ROOM_ABOVE_CHANCE)

    columns = min(COLUMNS, max(1, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    figure = style.new_figure(height=0.9 + 2.1 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for index, (axes, (lr, found)) in enumerate(zip(grid, panels.items(), strict=False)):
        for curve in found:
            curves.draw(axes, curve, curve.label)
        axes.axhline(chance, label=f"chance: ln {classes} = {chance:.2f}", **style.CHANCE)
        axes.set_ylim(0, top)
        curves.epochs_axis(axes, found)
        title = f"learning rate {lr}{curves.fewer_repeats(found[0], table)}"
        above = sum(int(np.count_nonzero(curve.mean > top)) for curve in found)
        axes.set_title(title + (f"\n({above} points above the axis)" if above else ""))
        if index % columns == 0:
            axes.set_ylabel("cross-entropy (nats)")
        else:
            axes.tick_params(labelleft=False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    repeats = curves.repeats_text(drawn).replace("\n", " ")
    figure.suptitle(f"{paper_name(model)}: {repeats}")
    style.legend_below(figure, grid[0], "center", columns=3)
    return figure
