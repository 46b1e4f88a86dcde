"""Table 1 from the models themselves."""

import pytest
import torch
from torch import nn

from fleeting.evaluation import structure
from fleeting.training.models import resnet18


@pytest.fixture(scope="module")
def frame():
    return structure.table(["resnet18", "resnet50"], 6, 224)


def rows(frame, model):
    return frame[frame["model"] == model].set_index("layer")


def test_resnet18_has_the_papers_layers_and_outputs(frame):
    own = rows(frame, "resnet18")
    assert list(own.index) == list(structure.PAPER)
    assert own["output"].tolist() == [output for output, _ in structure.PAPER.values()]
    assert own.loc["Conv2_x", "structure"] == "3x3 max pool, stride 2; [3x3, 64; 3x3, 64] x 2"
    assert own.loc["Conv3_x", "structure"] == "[3x3, 128; 3x3, 128] x 2, first block stride 2"
    assert own.loc["Fc", "structure"] == own.loc["Fc", "paper_structure"]


def test_every_parameter_is_counted_once(frame):
    expected = sum(parameter.numel() for parameter in resnet18.build(6).parameters())
    assert rows(frame, "resnet18")["parameters"].sum() == expected


def test_bottlenecks_are_read_as_such(frame):
    own = rows(frame, "resnet50")
    expected = "[1x1, 256; 3x3, 256; 1x1, 1024] x 6, first block stride 2"
    assert own.loc["Conv4_x", "structure"] == expected
    assert own.loc["Conv4_x", "output"] == "14x14x1024"


def test_size_and_classes_are_the_experiments():
    own = rows(structure.table(["resnet18"], 4, 64), "resnet18")
    assert own.loc["Conv1", "output"] == "32x32x64"
    assert own.loc["Avg_pool", "structure"] == "2x2, average pool"
    assert own.loc["Fc", "output"] == own.loc["softmax", "output"] == "4"


def test_an_unknown_module_keeps_its_own_name():
    network = nn.Sequential()
    network.add_module("stem", nn.Conv2d(3, 8, 3))
    network.add_module("norm", nn.BatchNorm2d(8))
    network.add_module("gate", nn.Sigmoid())
    found = structure.layers(network.to(torch.device("meta")), 16)
    assert [row[:3] for row in found[:2]] == [
        ("stem", "14x14x8", "3x3, 8"),
        ("gate", "14x14x8", "Sigmoid"),
    ]
    assert found[0][3] == 8 * 3 * 9 + 8 + 16


def test_the_page_sums_the_parameters(frame):
    parts = dict(structure.page(frame, 6, 224).parts)
    assert list(parts) == ["ResNet18", "ResNet50"]
    assert parts["ResNet18"].iloc[-1]["parameters"] == "11 179 590"
