"""Table 1: the structure of each model, read from the model itself, beside the paper's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torchvision

from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.structure import layers
from fleeting.splits import gate
from fleeting.training.architecture import architecture
from fleeting.tsv import INTEGER, NAME, TEXT, Schema

FILE = "table1_structure"
PRINTED = True
CAPTION = (
    "The structure of each model, read from the model itself, beside the paper's table 1. Nothing "
    "was measured, so there are no repeats."
)
READS = {"gate": "experiments/{experiment}/split.json"}
SETTINGS = ("experiment.grid.models", "experiment.recipe.weights")
#: The networks whose structure this is: editing one makes the table anew.
USES = {"network": "experiment.grid.models"}

STRUCTURE: Schema = {
    "model": NAME,
    "layer": NAME,
    "output": NAME,
    "structure": NAME,
    "parameters": INTEGER,
    "paper_output": TEXT,
    "paper_structure": TEXT,
}
#: The paper's table 1, "Resnet18 structure by using Pytorch library", as printed.
PAPER = {
    "Conv1": ("112x112x64", "7x7, 64, stride 2"),
    "Conv2_x": ("56x56x64", "3x3 max pool, stride 2; 3x3, 64; 3x3, 64"),
    "Conv3_x": ("28x28x128", "3x3, 128; 3x3, 128"),
    "Conv4_x": ("14x14x256", "3x3, 256; 3x3, 256"),
    "Conv5_x": ("7x7x512", "3x3, 512; 3x3, 512"),
    "Avg_pool": ("1x1x512", "7x7, average pool"),
    "Fc": ("6", "512x6 fully-connected"),
    "softmax": ("6", ""),
}


@dataclass(frozen=True)
class Inputs:
    """What the models of an experiment are built for.

    Attributes:
        classes: how many there are.
        channels: the names of the input's channels.
        size: the input's height and width.
        pretrained: whether weights are loaded, which decides at what size a model sees the input.
    """

    classes: int
    channels: tuple[str, ...]
    size: tuple[int, ...]
    pretrained: bool


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """The table of an experiment whose split.json is `files["gate"]`."""
    (path,) = files["gate"]
    checked = gate.read(path)
    inputs = Inputs(
        classes=len(checked.classes),
        channels=checked.input.channels,
        size=checked.input.shape[:-1],
        pretrained=settings["experiment.recipe.weights"] != "none",
    )
    models = settings["experiment.grid.models"]
    frame = table(models, inputs)
    return frame, STRUCTURE, page(frame, inputs)


def table(models: Sequence[str], inputs: Inputs) -> pd.DataFrame:
    """The structure of each named model, one row per layer.

    A model is built on torch's `meta` device: its shapes are real, its weights take no memory.
    Normalisations and activations are counted with the layer that they follow.
    """
    rows = []
    for name in models:
        found = architecture(name, inputs.channels, inputs.size, inputs.pretrained)
        network = found.outline(inputs.classes)
        # The paper's table is of a ResNet18.
        paper = PAPER if isinstance(network, torchvision.models.ResNet) else {}
        for layer in layers(network, len(inputs.channels), found.size):
            own = (layer.output, layer.structure, layer.parameters)
            rows.append((name, layer.name, *own, *paper.get(layer.name, ("", ""))))
    return pd.DataFrame(rows, columns=list(STRUCTURE))


def page(frame: pd.DataFrame, inputs: Inputs) -> Page:
    """The table for reading: one part per model, the paper's columns beside it where it has any."""
    parts, sizes = [], []
    for name, own in frame.groupby("model", sort=False):
        model = str(name)
        shown = own.drop(columns="model").rename(
            columns={"paper_output": "paper: output", "paper_structure": "paper: structure"}
        )
        if not own["paper_output"].any():
            shown = shown.drop(columns=["paper: output", "paper: structure"])
        total = int(own["parameters"].sum())
        whole = pd.DataFrame([{"layer": "all layers", "parameters": total}])
        shown = pd.concat([shown, whole], ignore_index=True).fillna("")
        shown["parameters"] = [f"{count:,}".replace(",", " ") for count in shown["parameters"]]
        parts.append((paper_name(model), shown))
        seen = architecture(model, inputs.channels, inputs.size, inputs.pretrained).size
        sizes.append("x".join(map(str, seen)))
    return Page(
        "Table 1: structure of the models",
        f"Read from each model by one pass of a {' or '.join(dict.fromkeys(sizes))} image, with "
        f"{inputs.classes} classes; "
        "nothing was measured, so there are no repeats. Output is height x width x channels; "
        "[...] x 2 is a residual block and how often it follows itself. Normalisations, "
        "activations and the shortcuts' convolutions have no row but are counted among the "
        "parameters. The paper's columns are its table 1 as printed, for ResNet18 and a 224x224 "
        "image: it gives one block of each layer and leaves out how often it repeats.",
        parts,
    )
