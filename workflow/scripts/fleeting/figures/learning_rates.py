"""Figure 9 of the paper: one model's accuracy by epoch and learning rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fleeting.drawing import choices, curves, style
from fleeting.evaluation.paper_values import paper_name
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
TRAINING = {"linestyle": "-"}
#: In the colour of the rate; markers tell it apart where no dash can be seen.
VALIDATION = {"linestyle": (0, (4, 2)), "markerfacecolor": "white"}


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw accuracies of the model of the paper's choice, validation dashed beside training."""
    table = curves.read(files["curves"][0])
    model = choices.papers_model(files["choices"][0])
    found = [
        curves.curve(table, model, lr, metric, f"{lr}, {role}", position, **look)
        for position, lr in enumerate(curves.rates(table))
        for metric, role, look in (
            ("train_accuracy", "training", TRAINING),
            ("validation_accuracy", "validation", VALIDATION),
        )
    ]
    return curves.accuracies(
        table,
        found,
        len(gate.read(files["gate"][0]).classes),
        title=paper_name(model),
        ylabel=f"accuracy (share of {style.unit(settings['input.kind'])})",
    )
