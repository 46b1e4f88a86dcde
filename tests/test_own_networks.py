"""A network of the user's, named in the config: `models: {mine: package.module:function}`."""

from pathlib import Path

import pytest
import torch

from fleeting import code_in_use, dependencies, registry
from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.training.architecture import architecture
from small_runs import metadata, small_run, small_split

NETWORK = """
from torch import nn
from lab_networks.heads import head

MEAN = (0.0, 0.0, 0.0)


def shallow(classes, channels, size):
    return nn.Sequential(nn.Flatten(), head(channels * size[0] * size[1], classes))
"""
HEAD = """
from torch import nn


def head(inputs, classes):
    return nn.Linear(inputs, classes)
"""
SPEC = "lab_networks.nets:shallow"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package below the working directory."""
    folder = tmp_path / "lab_networks"
    folder.mkdir()
    (folder / "nets.py").write_text(NETWORK)
    (folder / "heads.py").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def config(**models: str) -> dict:
    return {
        "databases": {"samm": {"root": "/data/SAMM"}},
        "models": models,
        "experiments": {
            "paper": {"recipe": {"weights": "none"}, "grid": {"models": ["mine", "resnet18"]}}
        },
    }


def test_a_grid_lists_it_by_its_name() -> None:
    grid = load(config(mine=SPEC))["experiments"]["paper"]["grid"]
    assert grid["models"] == ["mine", "resnet18"]
    assert grid["networks"] == {"mine": SPEC, "resnet18": "resnet18"}


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({}, "no model is called 'mine'"),
        ({"mine": "lab_networks.nets"}, "package.module:function"),
        ({"mine": SPEC, "resnet50": SPEC}, "there is a network of this name already"),
    ],
)
def test_what_no_network_can_be_is_refused(models: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load(config(**models))


def test_imagenet_has_no_weights_of_it() -> None:
    given = config(mine=SPEC)
    given["experiments"]["paper"]["recipe"]["weights"] = "imagenet"
    with pytest.raises(UserError, match="no ImageNet weights of mine"):
        load(given)


def test_all_of_its_package_is_an_input(lab: Path) -> None:
    found = dependencies.files("fleeting.training.run", "lab_networks.nets")
    assert {lab / "nets.py", lab / "heads.py"} <= set(found)
    assert found[0] == dependencies.RUNNER
    (lab.parent / "alone.py").write_text(NETWORK)
    assert dependencies.users_files("alone") == [lab.parent / "alone.py"]
    assert dependencies.users_files("torch.nn") == [], "a library is installed"


def test_it_is_built_for_the_input_with_its_own_constants(lab: Path) -> None:
    found = architecture(SPEC, ("red", "green", "blue"), (8, 8), False)
    assert (found.mean, found.heads) == ((0.0, 0.0, 0.0), ("1",))
    assert found.build(4)(torch.rand(2, 3, 8, 8)).shape == (2, 4)
    assert "lab_networks" in registry.OWN
    assert {"lab_networks.nets", "lab_networks.heads"} <= code_in_use.digests().keys()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lab_networks.nothing:shallow", "there is no module 'lab_networks.nothing'"),
        ("nothing_at_all:shallow", "there is no module 'nothing_at_all'"),
        ("lab_networks.nets:deep", "has no function 'deep'"),
    ],
)
def test_one_that_is_not_there_is_named(lab: Path, spec: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        architecture(spec, ("red", "green", "blue"), (8, 8), False)


WRONG = """
from torch import nn


class Several(nn.Flatten):
    def forward(self, values):
        return super().forward(values)[:, :2], None


def more(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size[0] * size[1], classes + 1))


def fixed(classes, channels, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(300, classes))


def several(classes, channels, size):
    return Several()


def small(classes):
    return nn.Flatten()
"""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("more", r"returns \(2, 3\) for examples .* not logits of the shape \(2, 2\)"),
        ("fixed", r"fails for examples of the shape \(2, 3, 32, 32\) \(RuntimeError"),
        ("several", "returns tuple for examples"),
        ("small", "cannot make a network of 2 outputs .TypeError: .*'channels'"),
    ],
)
def test_one_that_does_not_do_what_it_must_is_refused_before_it_is_trained(
    lab: Path, tmp_path: Path, function: str, said: str
) -> None:
    (lab / "wrong.py").write_text(WRONG)
    small_split(tmp_path)
    with pytest.raises(UserError, match=f"models: lab_networks.wrong:{function}.*{said}"):
        small_run(tmp_path, model="mine", network=f"lab_networks.wrong:{function}")


def test_it_is_trained_tested_and_saved(lab: Path, tmp_path: Path) -> None:
    small_split(tmp_path)
    run = small_run(tmp_path, model="mine", network=SPEC)
    assert (metadata(run)["model"], metadata(run)["network"]) == ("mine", SPEC)
    state = torch.load(run / "models/fold1.pt", weights_only=True)
    assert state["1.weight"].shape == (2, 3 * 32 * 32)
