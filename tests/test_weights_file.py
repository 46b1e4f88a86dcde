"""Weights as they are passed around: unwrapped and said, or refused with what converts them."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from fleeting.errors import UserError
from fleeting.training import weights, weights_file
from fleeting.training.architecture import architecture

NETWORK = architecture("small", ("red", "green", "blue"), (224, 224), pretrained=True)
STATE = NETWORK.build(7).state_dict()
DISTRIBUTED = {f"module.{name}": tensor for name, tensor in STATE.items()}
COMPILED = {f"_orig_mod.{name}": tensor for name, tensor in DISTRIBUTED.items()}
OTHER_HEAD = {**STATE, "feature.weight": torch.zeros(4, 4), "head.weight": torch.zeros(50, 32)}


@pytest.mark.parametrize(
    ("held", "unwrapped"),
    [
        (STATE, []),
        ({"epoch": 90, "state_dict": STATE, "best": torch.tensor(70.1)}, ["'state_dict'"]),
        ({"model": STATE, "args": {"lr": 0.1}}, ["'model'"]),
        ({"model_state_dict": DISTRIBUTED}, ["'model_state_dict'", "module. taken off"]),
        (DISTRIBUTED, ["module. taken off"]),
        (COMPILED, ["_orig_mod.module. taken off"]),
        ({"state_dict": STATE, "best": np.float64(70.1), "n": np.int64(3)}, ["'state_dict'"]),
        ({"state_dict": OTHER_HEAD}, ["'state_dict'", "without the layers feature"]),
    ],
    ids=["bare", "example", "model", "both", "parallel", "compiled", "numpy", "another head"],
)
@pytest.mark.parametrize("new_format", [True, False])
def test_a_file_is_unwrapped(
    tmp_path: Path, held: dict[str, Any], unwrapped: list[str], new_format: bool
) -> None:
    path = tmp_path / "a.pth.tar"
    torch.save(held, path, _use_new_zipfile_serialization=new_format)
    done = weights.check("small", path, weights.identify(path))
    assert len(done) == len(unwrapped)
    assert all(word in said for word, said in zip(unwrapped, done, strict=True))
    fresh = weights.fresh_state(NETWORK, 3, path, weights.identify(path))
    body = [name for name in STATE if not name.startswith("head.")]
    assert all(torch.equal(fresh[name], STATE[name]) for name in body)


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.torch.save(DISTRIBUTED))
    assert weights.check("small", path, weights.identify(path)) == ["module. taken off every name"]
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="not a readable safetensors file"):
        weights_file.read(path)


def test_what_was_unwrapped_is_recorded(tmp_path: Path) -> None:
    torch.save({"state_dict": DISTRIBUTED}, tmp_path / "a.pth")
    weights.run(network="small", file=tmp_path / "a.pth", output=tmp_path / "a.json")
    record = weights.Weights.read(tmp_path / "a.json")
    assert record.unwrapped == "taken from under 'state_dict'; module. taken off every name"
    assert record.facts()["unwrapped"] == record.unwrapped


class Network(torch.nn.Linear):
    """A class of somebody's own."""


@pytest.mark.parametrize(
    "held",
    [
        Network(2, 2),
        {"state_dict": Network(2, 2).state_dict(), "arguments": Namespace(lr=0.1)},
        {"model": Network(2, 2).state_dict(), "args": Namespace(lr=0.1)},
        {"model": Network(2, 2), "epoch": 3},
    ],
    ids=["network", "arguments", "model", "network in it"],
)
def test_a_pickled_network_is_refused_with_what_converts_it(tmp_path: Path, held: object) -> None:
    path = tmp_path / "a.pth"
    torch.save(held, path)
    with pytest.raises(UserError, match=r"it holds \S+(Network|Namespace)\. Such a file") as error:
        weights_file.read(path)
    lines = [line for line in str(error.value).splitlines() if line.startswith("  ")]
    assert len(lines) == 3
    exec("\n".join(line.strip() for line in lines), {})
    assert set(weights_file.read(tmp_path / "a_state.pth")[0]) == {"weight", "bias"}


def test_layers_of_a_larger_network_are_no_further_ones(tmp_path: Path) -> None:
    state = {**STATE, "features.99.weight": torch.zeros(4)}
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"another model: 1 parameters differ.*features\.99"):
        weights.check("small", tmp_path / "a.pth", weights.identify(tmp_path / "a.pth"))


def test_a_dict_that_holds_itself(tmp_path: Path) -> None:
    held: dict[str, object] = {}
    held["model"] = held
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(UserError, match="'model' is not a tensor"):
        weights_file.read(tmp_path / "a.pth")
