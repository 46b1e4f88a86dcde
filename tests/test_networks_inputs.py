"""What networks see of an input: resized and normalised on the device, by name of the channels."""

import hashlib
from dataclasses import replace

import pytest
import torch
import torchvision

from fleeting.training.architecture import Architecture, architecture
from fleeting.training.networks import small

RGB = ("red", "green", "blue")
STACK = tuple(f"{phase}_{colour}" for phase in ("onset", "apex") for colour in RGB)
FLOW = ("horizontal", "vertical", "strain")


def at(name: str, side: int, pretrained: bool = False, channels: tuple = RGB) -> Architecture:
    return architecture(name, channels, (side, side), pretrained)


def test_colours_are_normalised_to_the_papers_bytes() -> None:
    torch.manual_seed(3)
    pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    prepared = at("resnet18", 8).prepare(pixels.float() / 255)
    # Of commit 1a0c983: `images.normalised(pixels)`.
    assert hashlib.sha256(prepared.numpy().tobytes()).hexdigest()[:16] == "56f3297eccf7e2d4"


def test_only_colours_are_normalised() -> None:
    values = torch.rand(2, 3, 8, 8)
    assert at("resnet18", 8, channels=FLOW).prepare(values) is values
    mixed = at("resnet18", 8, channels=("strain", "apex_blue", "red")).prepare(values)
    assert torch.equal(mixed[:, 0], values[:, 0])
    torch.testing.assert_close(mixed[:, 1], (values[:, 1] - 0.406) / 0.225)
    torch.testing.assert_close(mixed[:, 2], (values[:, 2] - 0.485) / 0.229)
    stack = at("resnet18", 8, channels=STACK)
    both = stack.prepare(torch.cat([values, values], 1))
    assert torch.equal(both[:, :3], both[:, 3:])
    assert torch.equal(both[:, :3], at("resnet18", 8).prepare(values))


def test_networks_of_ours_see_colours_around_zero() -> None:
    values = torch.rand(2, 3, 28, 28)
    assert torch.equal(at("small", 28).prepare(values), values - 0.5)
    assert at("small", 28, channels=FLOW).prepare(values) is values


def test_a_network_of_ours_may_state_its_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "MEAN", (0.1, 0.2, 0.3), raising=False)
    monkeypatch.setattr(small, "DEVIATION", (0.5, 0.5, 0.5), raising=False)
    values = torch.rand(2, 3, 28, 28)
    expected = (values - torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)) / 0.5
    torch.testing.assert_close(at("small", 28).prepare(values), expected)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_networks_ported_from_tensorflow_get_the_values_that_torchvision_gives_them(
    name: str,
) -> None:
    values = torch.rand(2, 3, 8, 8)
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms()
    mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in (weights.mean, weights.std))
    network = at(name, 64).outline(6)
    network.transform_input = True
    theirs = network._transform_input((values - mean) / deviation)
    ours = replace(at(name, 64, pretrained=True), size=(8, 8))
    torch.testing.assert_close(ours.prepare(values), theirs)


@pytest.mark.parametrize(
    ("name", "side", "pretrained", "expected"),
    [
        ("resnet18", 64, False, 64),
        ("resnet18", 64, True, 224),
        ("resnet18", 224, True, 224),
        ("efficientnet_b1", 64, True, 240),
        ("inception_v3", 64, True, 299),
        ("inception_v3", 64, False, 299),
        ("inception_v3", 320, False, 320),
        ("alexnet", 62, False, 224),
        ("alexnet", 63, False, 63),
        ("swin_v2_t", 64, False, 256),
        ("swin_v2_t", 300, False, 300),
        ("vit_b_16", 300, False, 224),
        ("maxvit_t", 300, False, 224),
        ("vit_h_14", 64, True, 224),
        ("small", 64, True, 64),
    ],
)
def test_what_a_network_resizes_to(name: str, side: int, pretrained: bool, expected: int) -> None:
    assert at(name, side, pretrained).size == (expected, expected)


def test_a_side_that_is_too_small_resizes_both() -> None:
    assert architecture("alexnet", RGB, (62, 100), False).size == (224, 224)
    assert architecture("alexnet", RGB, (63, 100), False).size == (63, 100)


def test_values_are_resized_before_they_are_normalised() -> None:
    values = torch.rand(2, 3, 64, 64)
    found = at("resnet18", 64, pretrained=True)
    prepared = found.prepare(values)
    assert prepared.shape == (2, 3, 224, 224)
    plain = found.prepare(torch.full((1, 3, 64, 64), 0.5))
    torch.testing.assert_close(plain[0, 0], torch.full((224, 224), (0.5 - 0.485) / 0.229))
    # Smaller with antialiasing: the mean of what a pixel covers, not one of its values.
    stripes = torch.zeros(1, 1, 448, 448)
    stripes[..., ::2] = 1
    seen = at("resnet18", 448, pretrained=True, channels=("strain",)).prepare(stripes)
    assert seen[..., 4:-4].sub(0.5).abs().max() < 1e-5
