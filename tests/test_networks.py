"""Networks by name: torchvision's and those of this project, for any classes and input."""

import hashlib
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training import torchvision_networks
from fleeting.training.architecture import architecture
from fleeting.training.network_names import (
    TORCHVISION,
    TORCHVISION_NAMES,
    module_name,
    network_names,
)
from fleeting.training.networks import small


def parameter_count(name: str) -> int:
    """As torchvision states it with the published weights."""
    return torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]


RGB = ("red", "green", "blue")
STACK = tuple(f"{phase}_{colour}" for phase in ("onset", "apex") for colour in RGB)
FLOW = ("horizontal", "vertical", "strain")
#: The network of each of torchvision's modules that has the fewest parameters.
SMALLEST = {
    torchvision.models.get_model_builder(name).__module__: name
    for name in sorted(TORCHVISION_NAMES, key=lambda name: -parameter_count(name))
}
SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"


def test_the_committed_names_are_torchvisions() -> None:
    assert list(TORCHVISION_NAMES) == torchvision.models.list_models(module=torchvision.models)


def test_a_module_of_ours_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module_name("small") == "fleeting.training.networks.small"
    assert module_name("vgg16") == TORCHVISION
    assert {"small", *TORCHVISION_NAMES} <= set(network_names())
    monkeypatch.setattr(registry, "names", lambda kind: ["small", "vgg16"])
    assert module_name("vgg16") == "fleeting.training.networks.vgg16"
    assert network_names().count("vgg16") == 1


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        (
            "resnet19",
            (64, 64),
            "no network is called 'resnet19'.*torchvision and lenet5, small, triple_stream",
        ),
        ("resnet18", (4, 5, 6), r"resnet18 of torchvision takes pictures.*\(4, 5, 6, 3\)"),
        ("small", (7, 28), "at least 8 pixels"),
    ],
)
def test_a_network_that_cannot_be_built(name: str, size: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        architecture(name, RGB, size, False).build(3)


def test_names_and_modules_of_ours_are_light() -> None:
    program = (
        "import sys; from fleeting.training.network_names import network_names; network_names(); "
        "import fleeting.training.networks.small; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS).returncode == 0


@pytest.mark.parametrize("name", TORCHVISION_NAMES)
def test_every_network_has_heads_and_a_first_layer(name: str) -> None:
    found = architecture(name, STACK, (64, 64), False)
    network = found.outline(3)
    assert network.get_submodule(found.first_layer).weight.shape[1] == len(STACK)
    assert found.heads
    for head in found.heads:
        *_, bias = network.get_submodule(head).parameters()
        assert bias.shape == (3,)


@pytest.mark.parametrize("name", [*SMALLEST.values(), "small"])
def test_networks_of_every_family_take_any_channels_and_give_the_classes(name: str) -> None:
    found = architecture(name, STACK, (64, 64), False)
    # In training, where some networks have auxiliary outputs besides.
    outputs = found.outline(6)(torch.zeros(2, 6, *found.size, device="meta"))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [output.shape for output in outputs] == [(2, 6)] * (1 + len(found.aux_weights))


@pytest.mark.parametrize(
    ("name", "heads", "first", "aux_weights"),
    [
        ("resnet18", ("fc",), "conv1", ()),
        ("alexnet", ("classifier.6",), "features.0", ()),
        ("densenet121", ("classifier",), "features.conv0", ()),
        ("googlenet", ("aux1", "aux2", "fc"), "conv1.conv", (0.3, 0.3)),
        ("inception_v3", ("AuxLogits.fc", "fc"), "Conv2d_1a_3x3.conv", (0.4,)),
        ("squeezenet1_0", ("classifier.1",), "features.0", ()),
        ("vit_b_16", ("heads.head",), "conv_proj", ()),
        ("small", ("head",), "features.0", ()),
    ],
)
def test_heads_and_first_layers_are_found(
    name: str, heads: tuple[str, ...], first: str, aux_weights: tuple[float, ...]
) -> None:
    found = architecture(name, RGB, (64, 64), False)
    assert (found.heads, found.first_layer, found.aux_weights) == (heads, first, aux_weights)


def test_an_outline_draws_nothing_and_keeps_nothing() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    network = architecture("vit_b_32", RGB, (64, 64), False).outline(6)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    assert not next(nn.Linear(1, 1).parameters()).is_meta


@pytest.mark.parametrize(
    ("name", "expected", "after"),
    # Of commit 1a0c983: `build(6)` of its training/models after `torch.manual_seed(7)`.
    [
        ("resnet18", "0fd783bb59802502", 0.7507531046867371),
        ("resnet50", "b2ba878976b93f85", 0.4576426148414612),
    ],
)
def test_residual_networks_start_from_the_papers_bytes(
    name: str, expected: str, after: float
) -> None:
    torch.manual_seed(7)
    digest = hashlib.sha256()
    state = architecture(name, RGB, (64, 64), False).build(6).state_dict()
    for key, value in sorted(state.items()):
        digest.update(key.encode())
        digest.update(value.numpy().tobytes())
    assert digest.hexdigest()[:16] == expected
    assert float(torch.rand(1)) == after


@pytest.mark.parametrize("channels", [RGB, STACK], ids=["3 channels", "6 channels"])
@pytest.mark.parametrize("name", ["resnet18", "googlenet", "squeezenet1_1", "mnasnet0_5", "small"])
def test_every_weight_is_trained(name: str, channels: tuple[str, ...]) -> None:
    torch.manual_seed(1)
    found = architecture(name, channels, (64, 64), False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = found.build(6).train()
    outputs = network(found.prepare(torch.rand(4, len(channels), 64, 64)))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    labels = torch.tensor([0, 1, 2, 3])
    sum(cross_entropy(output, labels) for output in outputs).backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
    network.load_state_dict({key: value.clone() for key, value in network.state_dict().items()})


def test_other_channels_keep_the_scale_of_the_first_outputs() -> None:
    torch.manual_seed(1)
    deviations = []
    for channels in (("strain",), RGB, STACK):
        network = architecture("squeezenet1_1", channels, (64, 64), False).build(6)
        first = network.get_submodule("features.0")
        deviations.append(float(first(torch.randn(8, len(channels), 64, 64)).detach().std()))
    assert max(deviations) < 1.2 * min(deviations)


@pytest.mark.parametrize(
    ("size", "outputs"), [((7, 7), 7), ((14, 14), 4), ((2, 3), 7), ((1, 1), 6)]
)
def test_pooling_is_pytorchs(size: tuple[int, int], outputs: int) -> None:
    torch.manual_seed(1)
    found, gradients = [], []
    values = torch.rand(2, 5, *size, requires_grad=True)
    for pool in (torchvision_networks.average_pool, adaptive_avg_pool2d):
        found.append(pool(values, (outputs, outputs)))
        gradients += torch.autograd.grad(found[-1].square().sum(), values)
    torch.testing.assert_close(*found)
    torch.testing.assert_close(*gradients)


def test_no_network_pools_in_a_way_that_cuda_cannot_repeat() -> None:
    for name, layer, kind in (
        ("alexnet", "avgpool", torchvision_networks.AveragePool),
        ("vgg16", "avgpool", torchvision_networks.AveragePool),
        ("googlenet", "aux1", torchvision_networks.AuxiliaryHead),
    ):
        network = architecture(name, RGB, (64, 64), False).outline(6)
        assert isinstance(network.get_submodule(layer), kind)


@pytest.mark.parametrize("size", [(8, 8), (48, 64), (224, 224)])
def test_the_small_network_stays_small(size: tuple[int, int]) -> None:
    network = architecture("small", STACK, size, False).build(3)
    assert network.eval()(torch.rand(2, 6, *size)).shape == (2, 3)
    assert sum(parameter.numel() for parameter in network.parameters()) < 20_000


def test_colours_are_normalised_to_the_papers_bytes() -> None:
    torch.manual_seed(3)
    pixels = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    prepared = architecture("resnet18", RGB, (8, 8), False).prepare(pixels.float() / 255)
    # Of commit 1a0c983: `images.normalised(pixels)`.
    assert hashlib.sha256(prepared.numpy().tobytes()).hexdigest()[:16] == "56f3297eccf7e2d4"


def test_only_colours_are_normalised() -> None:
    values = torch.rand(2, 3, 8, 8)
    assert architecture("resnet18", FLOW, (8, 8), False).prepare(values) is values
    mixed = architecture("resnet18", ("strain", "apex_blue", "onset_red"), (8, 8), False).prepare(
        values
    )
    assert torch.equal(mixed[:, 0], values[:, 0])
    torch.testing.assert_close(mixed[:, 1], (values[:, 1] - 0.406) / 0.225)
    torch.testing.assert_close(mixed[:, 2], (values[:, 2] - 0.485) / 0.229)


def test_a_network_of_ours_may_state_its_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.rand(2, 3, 28, 28)
    assert torch.equal(architecture("small", RGB, (28, 28), False).prepare(values), values - 0.5)
    assert architecture("small", FLOW, (28, 28), False).prepare(values) is values
    monkeypatch.setattr(small, "MEAN", (0.1, 0.2, 0.3), raising=False)
    monkeypatch.setattr(small, "DEVIATION", (0.5, 0.5, 0.5), raising=False)
    expected = (values - torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)) / 0.5
    torch.testing.assert_close(
        architecture("small", RGB, (28, 28), False).prepare(values), expected
    )


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_networks_ported_from_tensorflow_get_the_values_that_torchvision_gives_them(
    name: str,
) -> None:
    values = torch.rand(2, 3, 8, 8)
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1.transforms()
    mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in (weights.mean, weights.std))
    network = architecture(name, RGB, (64, 64), False).outline(6)
    network.transform_input = True
    theirs = network._transform_input((values - mean) / deviation)
    ours = replace(architecture(name, RGB, (64, 64), True), size=(8, 8))
    torch.testing.assert_close(ours.prepare(values), theirs)


@pytest.mark.parametrize(
    ("name", "size", "pretrained", "expected"),
    [
        ("resnet18", (64, 64), False, (64, 64)),
        ("resnet18", (64, 64), True, (224, 224)),
        ("efficientnet_b1", (64, 64), True, (240, 240)),
        ("inception_v3", (64, 64), False, (299, 299)),
        ("inception_v3", (320, 320), False, (320, 320)),
        ("alexnet", (62, 100), False, (224, 224)),
        ("alexnet", (63, 100), False, (63, 100)),
        ("swin_v2_t", (64, 64), False, (256, 256)),
        ("vit_b_16", (300, 300), False, (224, 224)),
        ("maxvit_t", (300, 300), False, (224, 224)),
        ("vit_h_14", (64, 64), True, (224, 224)),
        ("small", (64, 64), True, (64, 64)),
    ],
)
def test_what_a_network_resizes_to(
    name: str, size: tuple[int, int], pretrained: bool, expected: tuple[int, int]
) -> None:
    assert architecture(name, RGB, size, pretrained).size == expected


def test_values_are_resized_before_they_are_normalised() -> None:
    grey = architecture("resnet18", RGB, (64, 64), True).prepare(torch.full((1, 3, 64, 64), 0.5))
    torch.testing.assert_close(grey[0, 0], torch.full((224, 224), (0.5 - 0.485) / 0.229))
    # Smaller with antialiasing: the mean of what a pixel covers, not one of its values.
    stripes = torch.zeros(1, 1, 448, 448)
    stripes[..., ::2] = 1
    seen = architecture("resnet18", ("strain",), (448, 448), True).prepare(stripes)
    assert seen[..., 4:-4].sub(0.5).abs().max() < 1e-5
