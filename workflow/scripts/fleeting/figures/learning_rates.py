"""Figure 9 of the paper: one model's accuracy by epoch and learning rate."""

import pandas as pd
from matplotlib.figure import Figure

from fleeting.evaluation.grid import paper_name
from fleeting.figures import curves, lines, style

#: Training is a whole line, validation a dashed one, in the colour of the rate.
PARTS = (("train_accuracy", "training", "-"), ("validation_accuracy", "validation", (0, (4, 2))))


def draw(frame: pd.DataFrame, model: str, classes: int) -> Figure:
    """Draw `model`'s training accuracy by rate, with its validation accuracy dashed beside it.

    Args:
        frame: the collected curves (`evaluation.schemas.CURVES`) of all models and rates.
        model: the model's name in the table.
        classes: the number of classes; chance is one of them.
    """
    figure = style.new_figure(height=3.7)
    axes = figure.subplots()
    drawn = []
    for position, lr in enumerate(curves.rates(frame)):
        for metric, part, dashes in PARTS:
            curve = curves.curve(frame, model, lr, metric)
            if curve is not None:
                look = {**style.look(position), "linestyle": dashes}
                hollow = metric == "validation_accuracy"
                label = lines.name(f"{lr}, {part}", curve, frame)
                lines.draw(axes, curve, look, position, label, hollow)
                drawn.append(curve)
    axes.axhline(1 / classes, label=style.chance_label(classes), **style.CHANCE)
    axes.set_ylim(0, 1)
    axes.set_ylabel("accuracy (share of images)")
    style.epochs_axis(axes, curves.last_epoch(drawn))
    axes.set_title(paper_name(model))
    style.legend_beside(axes, lines.repeats_label(drawn))
    return figure
