"""Pretrained weights of any network, for any channels: what a fold starts from."""

import re
from pathlib import Path

import pytest
import torch

from fleeting.errors import UserError
from fleeting.training.architecture import Architecture, architecture
from fleeting.training.weights import Weights, fresh_state, identify, run

RGB = ("red", "green", "blue")


def pretrained(name: str, channels: tuple[str, ...] = RGB) -> Architecture:
    return architecture(name, channels, (224, 224), pretrained=True)


@pytest.mark.parametrize(
    "name",
    ["googlenet", "inception_v3", "squeezenet1_0", "mnasnet0_5", "densenet121", "vit_b_32"],
)
def test_any_network_starts_from_its_own_weights(tmp_path: Path, name: str) -> None:
    network = pretrained(name)
    source = network.build(1000).state_dict()
    path = tmp_path / "own.pth"
    torch.save(source, path)
    target = network.build(6)
    target.load_state_dict(fresh_state(network, 6, path, identify(path)))
    for key, value in target.state_dict().items():
        if not key.startswith(tuple(f"{head}." for head in network.heads)):
            assert torch.equal(value, source[key]), key
    for head in network.heads:
        own = dict(target.get_submodule(head).named_parameters())
        assert own
        assert all(value.isfinite().all() for value in own.values())


def test_the_branches_of_googlenet_that_nobody_trained_are_drawn(tmp_path: Path) -> None:
    network = pretrained("googlenet")
    held = {
        key: value
        for key, value in network.build(1000).state_dict().items()
        if not key.startswith("aux")
    }
    torch.save(held, tmp_path / "a.pth")
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        states.append(fresh_state(network, 6, tmp_path / "a.pth", identify(tmp_path / "a.pth")))
    for key in ("aux1.conv.conv.weight", "aux2.fc1.weight"):
        assert not torch.equal(states[0][key], states[1][key])
    assert torch.equal(states[0]["aux1.conv.bn.running_var"], torch.ones(128))


@pytest.mark.parametrize(
    ("name", "today", "formerly"),
    [
        ("densenet121", r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2."),
        ("vit_b_32", r"mlp\.0\.", "mlp.linear_1."),
        ("vit_b_32", r"mlp\.3\.", "mlp.linear_2."),
    ],
)
def test_files_under_former_names_fit(tmp_path: Path, name: str, today: str, formerly: str) -> None:
    network = pretrained(name)
    source = network.build(1000).state_dict()
    old = {re.sub(today, formerly, key): value for key, value in source.items()}
    assert old.keys() != source.keys()
    torch.save(old, tmp_path / "a.pth")
    own = fresh_state(network, 6, tmp_path / "a.pth", identify(tmp_path / "a.pth"))
    heads = tuple(network.heads)
    assert all(torch.equal(own[key], source[key]) for key in own if not key.startswith(heads))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_first_layer_for_other_channels_repeats_the_colours(
    tmp_path: Path, channels: int
) -> None:
    path = tmp_path / "a.pth"
    source = pretrained("resnet18").build(6)
    torch.save(source.state_dict(), path)
    network = pretrained("resnet18", tuple(str(number) for number in range(channels)))
    kernels = fresh_state(network, 6, path, identify(path))["conv1.weight"]
    assert kernels.shape == (64, channels, 7, 7)
    for channel in range(channels):
        expected = source.conv1.weight[:, channel % 3] * 3 / channels
        torch.testing.assert_close(kernels[:, channel], expected.detach())
    if channels == 6:
        picture = torch.rand(1, 3, 32, 32)
        twice = torch.nn.functional.conv2d(torch.cat([picture, picture], 1), kernels)
        once = torch.nn.functional.conv2d(picture, source.conv1.weight.detach())
        torch.testing.assert_close(twice, once)


def test_a_file_of_the_users_own_may_be_for_other_channels(tmp_path: Path) -> None:
    network = pretrained("small", ("a", "b"))
    source = network.build(3).state_dict()
    torch.save(source, tmp_path / "own.pt")
    run(model="small", file=tmp_path / "own.pt", output=tmp_path / "record.json")
    found = Weights.read(tmp_path / "record.json")
    own = fresh_state(network, 6, tmp_path / "own.pt", found)
    assert torch.equal(own["features.0.weight"], source["features.0.weight"])
    with pytest.raises(UserError, match="another model"):
        fresh_state(pretrained("small", tuple("abcd")), 6, tmp_path / "own.pt", found)
