"""Figure 9 of the paper: one model's accuracy by epoch and learning rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fleeting.drawing import choices, curves, lines, style
from fleeting.evaluation import results, schemas
from fleeting.evaluation.grid import paper_name
from fleeting.splits import gate

READS = {
    "curves": "experiments/{experiment}/evaluation/curves.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "gate": "experiments/{experiment}/split.json",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "Figure 9 of the paper: training accuracy by epoch at each learning rate, for the model of the "
    "paper's choice. The paper shows training alone; the validation accuracy is dashed beside it, "
    "because a high training accuracy by itself says little. The dotted line is chance: one over "
    "the number of classes. Lines are means over the repeats, whose number the figure states; all "
    "repeats share one split (the mean over its folds where there are several), and between them "
    "only the initial weights (of the new layers alone, where the network is pretrained) and the "
    "order of the examples varied. The band runs from the lowest to the highest repeat: it shows "
    "how far chance in training moves the result. It is not a confidence interval, since it says "
    "nothing of other images or other subjects; one repeat has no band. Runs that failed are in no "
    "mean: where repeats are missing, the number of those left is given."
)
#: Training is a whole line, validation a dashed one, in the colour of the rate.
PARTS = (("train_accuracy", "training", "-"), ("validation_accuracy", "validation", (0, (4, 2))))


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw training and validation accuracy of the model of the paper's choice."""
    return plot(
        results.read(files["curves"][0], schemas.CURVES),
        choices.papers_model(files["choices"][0]),
        len(gate.read(files["gate"][0]).classes),
        style.unit(settings["input.kind"]),
    )


def plot(frame: pd.DataFrame, model: str, classes: int, unit: str) -> Figure:
    """Draw `model`'s training accuracy by rate, with its validation accuracy dashed beside it.

    Args:
        frame: the curves (`evaluation.schemas.CURVES`) of all models and rates.
        model: the model's name in the table.
        classes: the number of classes; chance is one over it.
        unit: what examples are called.
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
    axes.set_ylabel(f"accuracy (share of {unit})")
    style.epochs_axis(axes, curves.last_epoch(drawn))
    axes.set_title(paper_name(model))
    style.legend_beside(axes, lines.repeats_label(drawn))
    return figure
