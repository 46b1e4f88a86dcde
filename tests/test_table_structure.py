"""Table 1 from the models themselves."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation import render
from fleeting.evaluation.structure import layers
from fleeting.tables import structure
from fleeting.tables.structure import PAPER, STRUCTURE, Inputs, page, table
from fleeting.training.architecture import architecture
from fleeting.tsv import write

RGB = ("red", "green", "blue")
PAPERS = Inputs(6, RGB, (224, 224), pretrained=True)
MODELS = (
    "vgg16 densenet121 googlenet inception_v3 squeezenet1_0 mobilenet_v2 mnasnet0_5 "
    "shufflenet_v2_x0_5 efficientnet_b0 convnext_tiny vit_b_16 swin_t maxvit_t regnet_y_400mf "
    "alexnet resnext50_32x4d wide_resnet50_2 small"
).split()


@pytest.fixture(scope="module")
def frame():
    return table(["resnet18", "resnet50"], PAPERS)


def rows(frame, model):
    return frame[frame["model"] == model].set_index("layer")


def structures(model, inputs=PAPERS):
    return rows(table([model], inputs), model)["structure"].to_dict()


def test_resnet18_has_the_papers_layers_and_outputs(frame):
    own = rows(frame, "resnet18")
    assert list(own.index) == list(PAPER)
    assert own["output"].tolist() == [output for output, _ in PAPER.values()]
    assert own.loc["Conv2_x", "structure"] == "3x3 max pool, stride 2; [3x3, 64; 3x3, 64] x 2"
    assert own.loc["Conv3_x", "structure"] == "[3x3, 128; 3x3, 128] x 2, first block stride 2"
    assert own.loc["Fc", "structure"] == own.loc["Fc", "paper_structure"]


def test_bottlenecks_are_read_as_such(frame):
    own = rows(frame, "resnet50")
    expected = "[1x1, 256; 3x3, 256; 1x1, 1024] x 6, first block stride 2"
    assert own.loc["Conv4_x", "structure"] == expected
    assert own.loc["Conv4_x", "output"] == "14x14x1024"


@pytest.mark.parametrize("model", ["resnet18", *MODELS])
def test_every_parameter_is_counted_once(tmp_path, model):
    frame = table([model], PAPERS)
    network = architecture(model, RGB, (224, 224), pretrained=True).outline(6)
    assert frame["parameters"].sum() == sum(weight.numel() for weight in network.parameters())
    last = frame.iloc[-1]
    assert (last["layer"], last["output"], last["parameters"]) == ("softmax", "6", 0)
    assert frame["layer"].is_unique
    write(frame, tmp_path / "table.tsv", STRUCTURE)
    render.write(page(frame, PAPERS), tmp_path / "table.tsv", printed=True)
    assert "paper: output" not in (tmp_path / "table.md").read_text() or "res" in model


def test_other_networks_are_read_in_the_same_notation():
    vgg = structures("vgg16")
    assert vgg["features.0"] == "3x3, 64"
    assert vgg["avgpool"] == "average pool to 7x7"
    assert [text for text in vgg.values() if "fully" in text][0] == "25088x4096 fully-connected"
    dense = structures("densenet121")
    assert dense["features.denseblock1"] == "[1x1, 128; 3x3, 32] x 6"
    assert dense["features.transition1"] == "1x1, 128; 2x2 average pool, stride 2"
    google = structures("googlenet")
    assert google["aux1"] == "1x1, 128; 2048x1024 fully-connected; 1024x6 fully-connected"
    assert google["inception3a"].startswith("1x1, 64; 1x1, 96; 3x3, 128; ")
    vit = structures("vit_b_16")
    assert vit["class_token"] == "parameter"
    assert vit["encoder"].startswith("[attention, 12 heads; 768x3072 fully-connected; ")
    resnext = structures("resnext50_32x4d")
    assert resnext["Conv2_x"].endswith("[1x1, 128; 3x3, 128, 32 groups; 1x1, 256] x 3")


def test_outputs_are_height_by_width_by_channels():
    swin = rows(table(["swin_t"], Inputs(6, RGB, (224, 256), pretrained=False)), "swin_t")
    assert swin.loc["features.1", "output"] == "56x64x96"
    assert swin.loc["avgpool", "output"] == "1x1x768"
    vit = rows(table(["vit_b_16"], PAPERS), "vit_b_16")
    assert vit.loc["encoder", "output"] == "197x768"


def test_size_channels_and_classes_are_the_experiments():
    inputs = Inputs(4, ("horizontal", "vertical"), (64, 64), pretrained=False)
    own = rows(table(["resnet18"], inputs), "resnet18")
    assert own.loc["Conv1", "output"] == "32x32x64"
    assert own.loc["Conv1", "parameters"] == 64 * 2 * 49 + 128
    assert own.loc["Avg_pool", "structure"] == "2x2, average pool"
    assert own.loc["Fc", "output"] == own.loc["softmax", "output"] == "4"


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


def test_the_page_sums_the_parameters(frame):
    parts = dict(page(frame, PAPERS).parts)
    assert list(parts) == ["ResNet18", "ResNet50"]
    assert parts["ResNet18"].iloc[-1]["parameters"] == "11 179 590"


def gate(folder: Path, classes: list[str]) -> dict[str, list[Path]]:
    path = folder / "split.json"
    block = {"channels": list(RGB), "zero": 0, "unit": 255, "shape": [64, 48, 3], "dtype": "uint8"}
    digests = dict.fromkeys(("examples_sha256", "split_sha256", "folds_sha256"), "0" * 64)
    counts = {"folds": 1, "examples": 9}
    path.write_text(json.dumps({"classes": classes, "input": block, **counts, **digests}))
    return {"gate": [path]}


def test_the_table_is_made_of_the_gate_and_the_grid(tmp_path):
    settings = {
        "experiment.grid.models": ["small", "inception_v3"],
        "experiment.recipe.weights": "none",
    }
    frame, schema, shown = structure.make(gate(tmp_path, ["a", "b"]), settings)
    assert set(frame["model"]) == {"small", "inception_v3"}
    assert list(frame.columns) == list(schema)
    assert rows(frame, "small").loc["features.0", "output"] == "64x48x16"
    assert "one pass of a 64x48 or 299x299 image, with 2 classes;" in shown.note
    settings |= {"experiment.grid.models": ["resnet18"], "experiment.recipe.weights": "imagenet"}
    frame, _, _ = structure.make(gate(tmp_path, ["a", "b"]), settings)
    assert rows(frame, "resnet18").loc["Conv1", "output"] == "112x112x64"


def test_a_corrupt_gate_is_named(tmp_path):
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(UserError, match="split.json is corrupt"):
        structure.make({"gate": [tmp_path / "split.json"]}, {"experiment.recipe.weights": "none"})


def test_the_rules_can_read_what_it_needs_without_importing_it():
    constants = registry.constants("table", "structure")
    for name in ("FILE", "CAPTION", "READS", "SETTINGS", "PRINTED"):
        assert constants[name] == getattr(structure, name)
