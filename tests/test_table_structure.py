"""Table 1 from the models themselves."""

from functools import cache

import pytest
import torch
from torch import nn

from fabricated_runs import write_gate
from fleeting.evaluation.network_layers import layers
from fleeting.tables import table1_structure
from fleeting.tables.table1_structure import PAPER, structure
from fleeting.training.architecture import architecture

RGB = ("red", "green", "blue")
MODELS = (
    "vgg16 densenet121 googlenet inception_v3 squeezenet1_0 mobilenet_v2 mnasnet0_5 "
    "shufflenet_v2_x0_5 efficientnet_b0 convnext_tiny vit_b_16 swin_t maxvit_t regnet_y_400mf "
    "alexnet resnext50_32x4d wide_resnet50_2 small"
).split()


def model(name, size=(224, 224), channels=RGB, pretrained=True):
    return architecture(name, channels, size, pretrained)


@cache
def rows(name, classes=6, **inputs):
    return structure(model(name, **inputs), classes).set_index("layer")


def test_resnet18_has_the_papers_layers_and_outputs():
    own = rows("resnet18")
    assert list(own.index) == list(PAPER)
    assert own["output"].tolist() == [output for output, _ in PAPER.values()]
    assert own.loc["Conv2_x", "structure"] == "3x3 max pool, stride 2; [3x3, 64; 3x3, 64] x 2"
    assert own.loc["Conv3_x", "structure"] == "[3x3, 128; 3x3, 128] x 2, first block stride 2"
    assert own.loc["Fc", "structure"] == own.loc["Fc", "paper_structure"]


def test_size_channels_and_classes_are_the_experiments():
    channels = ("horizontal", "vertical")
    own = rows("resnet18", classes=4, size=(64, 64), channels=channels, pretrained=False)
    assert own.loc["Conv1", "output"] == "32x32x64"
    assert own.loc["Conv1", "parameters"] == 64 * 2 * 49 + 128
    assert own.loc["Avg_pool", "structure"] == "2x2, average pool"
    assert own.loc["Fc", "output"] == own.loc["softmax", "output"] == "4"


@pytest.mark.parametrize("name", ["resnet18", *MODELS])
def test_every_parameter_is_counted_once(name):
    frame = structure(model(name), 6)
    weights = model(name).outline(6).parameters()
    assert frame["parameters"].sum() == sum(weight.numel() for weight in weights)
    last = frame.iloc[-1]
    assert (last["layer"], last["output"], last["parameters"]) == ("softmax", "6", 0)
    assert frame["layer"].is_unique
    assert frame["paper_output"].any() == ("res" in name)


@pytest.mark.parametrize(
    ("name", "layer", "column", "text"),
    [
        ("resnet50", "Conv4_x", "structure", "[1x1, 256; 3x3, 256; 1x1, 1024] x 6, first block "),
        ("resnet50", "Conv4_x", "output", "14x14x1024"),
        ("resnext50_32x4d", "Conv3_x", "structure", "[1x1, 256; 3x3, 256, 32 groups; 1x1, 512] x"),
        ("vgg16", "features.0", "structure", "3x3, 64"),
        ("vgg16", "avgpool", "structure", "average pool to 7x7"),
        ("vgg16", "classifier.0", "structure", "25088x4096 fully-connected"),
        ("densenet121", "features.denseblock1", "structure", "[1x1, 128; 3x3, 32] x 6"),
        ("densenet121", "features.transition1", "structure", "1x1, 128; 2x2 average pool, stride"),
        ("googlenet", "aux1", "structure", "1x1, 128; 2048x1024 fully-connected; 1024x6 fully-"),
        ("googlenet", "inception3a", "structure", "1x1, 64; 1x1, 96; 3x3, 128; "),
        ("vit_b_16", "class_token", "structure", "parameter"),
        ("vit_b_16", "encoder", "structure", "[attention, 12 heads; 768x3072 fully-connected; "),
        ("vit_b_16", "encoder", "output", "197x768"),
        ("swin_t", "features.1", "structure", "[attention, 3 heads; 96x384 fully-connected; "),
        ("swin_t", "features.1", "output", "56x56x96"),
        ("swin_t", "avgpool", "output", "1x1x768"),
        ("maxvit_t", "blocks.0", "structure", "[1x1, 256; 3x3, 256, 256 groups; squeeze-exc"),
    ],
)
def test_networks_are_read_in_one_notation(name, layer, column, text):
    assert rows(name).loc[layer, column].startswith(text)


def test_an_unknown_module_keeps_its_own_name():
    network = nn.Sequential()
    network.add_module("stem", nn.Conv2d(3, 8, 3))
    network.add_module("norm", nn.BatchNorm2d(8))
    network.add_module("gate", nn.Sigmoid())
    found = layers(network.to(torch.device("meta")), 3, (16, 16))
    assert [(row.name, row.output, row.structure) for row in found[:2]] == [
        ("stem", "14x14x8", "3x3, 8"),
        ("gate", "14x14x8", "Sigmoid"),
    ]
    assert found[0].parameters == 8 * 3 * 9 + 8 + 16


def test_the_table_is_made_of_the_gate_and_the_grid(tmp_path):
    files = {"gate": [write_gate(tmp_path, ["a", "b"])]}
    settings = {
        "experiment.grid.models": ["small", "mine"],
        "experiment.grid.networks": {"small": "small", "mine": "inception_v3"},
        "experiment.recipe.weights": "none",
        "experiment.recipe.auxiliary": None,
    }
    frame, page = table1_structure.make(files, settings)
    assert set(frame["model"]) == {"small", "mine"}
    assert frame.set_index(["model", "layer"]).loc["small", "features.0"]["output"] == "64x48x16"
    assert "one pass of a 64x48 or 299x299 image, with 2 classes;" in page.note
    settings |= {
        "experiment.grid.models": ["resnet18"],
        "experiment.grid.networks": {"resnet18": "resnet18"},
        "experiment.recipe.weights": "imagenet",
    }
    frame, page = table1_structure.make(files, settings)
    assert frame["output"].iloc[0] == "112x112x64"
    ((heading, part),) = page.parts
    assert (heading, part["parameters"].iloc[-1]) == ("ResNet18", "11 177 538")
    settings["experiment.recipe.auxiliary"] = {"action_units": [1, 4, 12], "weight": 1}
    frame, page = table1_structure.make(files, settings)
    assert page.parts[0][1]["parameters"].iloc[-1] == "11 179 077"
    assert "with 2 classes and 3 action units (a sigmoid, no softmax);" in page.note
