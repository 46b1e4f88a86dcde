"""Table 1: the structure of each model, read from the model itself, beside the paper's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torchvision

from fleeting.evaluation.network_layers import layers
from fleeting.evaluation.paper_values import paper_name
from fleeting.evaluation.render import Page
from fleeting.splits import gate
from fleeting.training.architecture import Architecture, architecture

FORMATS = ("md", "tex")
CAPTION = (
    "The structure of each model, read from the model itself, beside the paper's table 1. Nothing "
    "was measured, so there are no repeats."
)
READS = {"gate": "experiments/{experiment}/split.json"}
SETTINGS = (
    "experiment.grid.models",
    "experiment.grid.networks",
    "experiment.recipe.weights",
    "experiment.recipe.auxiliary",
)
#: The networks whose structure this is: editing one makes the table again.
USES = {"network": "experiment.grid.networks"}

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


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per layer of each model of the grid, for the experiment's input and classes."""
    checked = gate.read(files["gate"][0])
    classes, size = len(checked.classes), checked.input.shape[:-1]
    pretrained = settings["experiment.recipe.weights"] != "none"
    networks = settings["experiment.grid.networks"]
    models = {
        model: architecture(networks[model], checked.input.channels, size, pretrained)
        for model in settings["experiment.grid.models"]
    }
    learnt, outputs = f"{classes} classes", classes
    if auxiliary := settings["experiment.recipe.auxiliary"]:
        outputs += len(auxiliary["action_units"])
        learnt += f" and {len(auxiliary['action_units'])} action units (a sigmoid, no softmax)"
    frames = [structure(built, outputs).assign(model=model) for model, built in models.items()]
    sizes = dict.fromkeys("x".join(map(str, built.size)) for built in models.values())
    page = Page(
        "Table 1: structure of the models",
        f"Read from each model by one pass of a {' or '.join(sizes)} image, with {learnt}; nothing "
        "was measured, so there are no repeats. Output is height x width x channels; [...] x 2 is "
        "a residual block and how often it follows itself. Normalisations, activations and the "
        "shortcuts' convolutions have no row but are counted among the parameters. The paper's "
        "columns are its table 1 as printed, for ResNet18 and a 224x224 image: it gives one block "
        "of each layer and leaves out how often it repeats.",
        [_part(frame) for frame in frames],
    )
    return pd.concat(frames), page


def structure(model: Architecture, outputs: int) -> pd.DataFrame:
    """The layers of a model with that many outputs, one row each.

    It is built on torch's `meta` device: its shapes are real, its weights take no memory.
    Normalisations and activations are counted with the layer that they follow.
    """
    network = model.outline(outputs)
    # The paper's table is of a ResNet18.
    paper = PAPER if isinstance(network, torchvision.models.ResNet) else {}
    rows = [
        (
            *(model.name, layer.name, layer.output, layer.structure, layer.parameters),
            *paper.get(layer.name, ("", "")),
        )
        for layer in layers(network, len(model.channels), model.size)
    ]
    columns = "model layer output structure parameters paper_output paper_structure"
    return pd.DataFrame(rows, columns=columns.split())


def _part(frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """A model's table for reading, the paper's columns beside it where it has any."""
    shown = frame.drop(columns="model").rename(
        columns={"paper_output": "paper: output", "paper_structure": "paper: structure"}
    )
    if not frame["paper_output"].any():
        shown = shown.drop(columns=["paper: output", "paper: structure"])
    whole = pd.DataFrame([{"layer": "all layers", "parameters": frame["parameters"].sum()}])
    shown = pd.concat([shown, whole], ignore_index=True).fillna("")
    shown["parameters"] = [f"{count:,}".replace(",", " ") for count in shown["parameters"]]
    return paper_name(frame["model"].iloc[0]), shown
