"""Figures 6 to 8 of the paper: every model's validation accuracy by epoch at one learning rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fleeting.drawing import curves, lines, style
from fleeting.evaluation import results, schemas
from fleeting.evaluation.grid import paper_name
from fleeting.splits import gate

FILE = "validation_accuracy_lr{lr}"
READS = {
    "curves": "experiments/{experiment}/evaluation/curves.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "Figures 6 (learning rate 1e-03), 7 (1e-04) and 8 (1e-05) of the paper, and their like for "
    "rates that it does not use: validation accuracy of each model by epoch at one learning rate, "
    "as a share of the validation examples. The dotted line is chance: one over the number of "
    "classes. Lines are means over the repeats, whose number the figure states; all repeats share "
    "one split (the mean over its folds where there are several), and between them only the "
    "initial weights (of the new layers alone, where the network is pretrained) and the order of "
    "the examples varied. The band runs from the lowest to the highest repeat: it shows how far "
    "chance in training moves the result. It is not a confidence interval, since it says nothing "
    "of other images or other subjects; one repeat has no band. Runs that failed are in no mean: "
    "where repeats are missing, the number of those left is given."
)


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the validation accuracy of all models at the learning rate `lr` of the settings."""
    return plot(
        results.read(files["curves"][0], schemas.CURVES),
        settings["lr"],
        len(gate.read(files["gate"][0]).classes),
        style.unit(settings["input.kind"]),
    )


def plot(frame: pd.DataFrame, lr: str, classes: int, unit: str) -> Figure:
    """Draw the models' validation accuracy at `lr`: mean and band over repeats, 0 to 1.

    Args:
        frame: the curves (`evaluation.schemas.CURVES`) of all models and rates.
        lr: the learning rate as the config writes it.
        classes: the number of classes; chance is one over it.
        unit: what examples are called.
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
    axes.set_ylabel(f"validation accuracy (share of {unit})")
    style.epochs_axis(axes, curves.last_epoch(drawn))
    axes.set_title(f"Learning rate {lr}")
    style.legend_beside(axes, lines.repeats_label(drawn))
    return figure
