"""Figures 6 to 8 of the paper: every model's validation accuracy by epoch at one learning rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fleeting.drawing import curves, style
from fleeting.evaluation.paper_values import paper_name
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
    table = curves.read(files["curves"][0])
    lr = settings["lr"]
    found = [
        curves.curve(table, model, lr, "validation_accuracy", paper_name(model), position)
        for position, model in enumerate(table["model"].unique())
    ]
    return curves.accuracies(
        table,
        found,
        len(gate.read(files["gate"][0]).classes),
        title=f"Learning rate {lr}",
        ylabel=f"validation accuracy (share of {style.unit(settings['input.kind'])})",
    )
