"""Figures 6 to 8 of the paper: every model's validation accuracy by epoch at one learning rate."""

import pandas as pd
from matplotlib.figure import Figure

from fleeting.evaluation.grid import paper_name
from fleeting.figures import curves, lines, style


def draw(frame: pd.DataFrame, lr: str, classes: int) -> Figure:
    """Draw the models' validation accuracy at `lr`: mean and band over repeats, 0 to 1.

    Args:
        frame: the collected curves (`evaluation.schemas.CURVES`) of all models and rates.
        lr: the learning rate as the config writes it.
        classes: the number of classes; chance is one of them.
    """
    figure = style.new_figure(height=3.7)
    axes = figure.subplots()
    drawn = []
    for position, model in enumerate(curves.models(frame)):
        curve = curves.curve(frame, model, lr, "validation_accuracy")
        if curve is not None:
            label = lines.name(paper_name(model), curve, frame)
            lines.draw(axes, curve, style.look(position), position, label)
            drawn.append(curve)
    axes.axhline(1 / classes, label=style.chance_label(classes), **style.CHANCE)
    axes.set_ylim(0, 1)
    axes.set_ylabel("validation accuracy (share of images)")
    style.epochs_axis(axes, curves.last_epoch(drawn))
    axes.set_title(f"Learning rate {lr}")
    style.legend_beside(axes, lines.repeats_label(drawn))
    return figure
