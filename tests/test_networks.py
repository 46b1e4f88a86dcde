"""Networks by name: torchvision's for any classes and channels, and those of this project."""

import hashlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training import torchvision_networks
from fleeting.training.architecture import Architecture, architecture
from fleeting.training.network_names import TORCHVISION, module_name, network_names
from fleeting.training.torchvision_names import NAMES

RGB = ("red", "green", "blue")
STACK = tuple(f"{phase}_{colour}" for phase in ("onset", "apex") for colour in RGB)
FLOW = ("horizontal", "vertical", "strain")
SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"


def digest(state: dict[str, torch.Tensor]) -> str:
    found = hashlib.sha256()
    for key, value in sorted(state.items()):
        found.update(key.encode())
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def at(name: str, side: int, pretrained: bool = False, channels: tuple = RGB) -> Architecture:
    return architecture(name, channels, (side, side), pretrained)


def test_the_committed_names_are_torchvisions() -> None:
    assert list(NAMES) == torchvision.models.list_models(module=torchvision.models)


def test_a_module_of_ours_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module_name("small") == "fleeting.training.networks.small"
    assert module_name("vgg16") == TORCHVISION
    assert {"small", *NAMES} <= set(network_names())
    monkeypatch.setattr(registry, "names", lambda kind: ["small", "vgg16"])
    assert module_name("vgg16") == "fleeting.training.networks.vgg16"
    assert network_names().count("vgg16") == 1


def test_an_unknown_network_is_an_error() -> None:
    with pytest.raises(UserError, match="no network is called 'resnet19'.*torchvision and small"):
        at("resnet19", 64)


def test_names_and_modules_of_ours_are_light() -> None:
    program = (
        "import sys; from fleeting.training.network_names import network_names; network_names(); "
        "import fleeting.training.networks.small; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS).returncode == 0


@pytest.mark.parametrize("channels", [RGB, STACK], ids=["3 channels", "6 channels"])
@pytest.mark.parametrize("name", [*NAMES, "small"])
def test_every_network_takes_any_channels_and_gives_the_classes(
    name: str, channels: tuple[str, ...]
) -> None:
    found = at(name, 64, channels=channels)
    network = found.outline(6).eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, len(channels), *found.size, device="meta"))
    assert logits.shape == (2, 6)


@pytest.mark.parametrize(
    ("name", "heads", "first"),
    [
        ("resnet18", ("fc",), "conv1"),
        ("alexnet", ("classifier.6",), "features.0"),
        ("densenet121", ("classifier",), "features.conv0"),
        ("googlenet", ("aux1", "aux2", "fc"), "conv1.conv"),
        ("inception_v3", ("AuxLogits.fc", "fc"), "Conv2d_1a_3x3.conv"),
        ("squeezenet1_0", ("classifier.1",), "features.0"),
        ("regnet_y_400mf", ("fc",), "stem.0"),
        ("vit_b_16", ("heads.head",), "conv_proj"),
        ("swin_t", ("head",), "features.0.0"),
        ("maxvit_t", ("classifier.5",), "stem.0.0"),
        ("small", ("head",), "features.0"),
    ],
)
def test_heads_and_first_layers_are_found(name: str, heads: tuple[str, ...], first: str) -> None:
    assert (at(name, 64).heads, at(name, 64).first_layer) == (heads, first)


def test_an_outline_draws_nothing_and_keeps_nothing() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    network = at("vit_b_32", 64).outline(6)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    assert not next(nn.Linear(1, 1).parameters()).is_meta


@pytest.mark.parametrize(
    ("name", "expected", "after"),
    # Of commit 1a0c983: `build(6)` of its training/models after `torch.manual_seed(7)`.
    [
        ("resnet18", "0fd783bb59802502", 0.7507531046867371),
        ("resnet34", "3a6c80c095d865f4", 0.49178028106689453),
        ("resnet50", "b2ba878976b93f85", 0.4576426148414612),
    ],
)
def test_residual_networks_start_from_the_papers_bytes(
    name: str, expected: str, after: float
) -> None:
    torch.manual_seed(7)
    assert digest(at(name, 64).build(6).state_dict()) == expected
    assert float(torch.rand(1)) == after


@pytest.mark.parametrize(
    ("name", "weights"), [("googlenet", (0.3, 0.3)), ("inception_v3", (0.4,)), ("vgg16", ())]
)
def test_auxiliary_outputs_come_after_the_first(name: str, weights: tuple[float, ...]) -> None:
    found = at(name, 64)
    assert found.aux_weights == weights
    outputs = found.outline(6).train()(torch.zeros(2, 3, *found.size, device="meta"))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [tuple(output.shape) for output in outputs] == [(2, 6)] * (1 + len(weights))


@pytest.mark.parametrize("channels", [RGB, STACK], ids=["3 channels", "6 channels"])
@pytest.mark.parametrize(
    "name",
    ["resnet18", "googlenet", "squeezenet1_1", "mnasnet0_5", "regnet_y_400mf", "small"],
)
def test_every_weight_is_trained(name: str, channels: tuple[str, ...]) -> None:
    torch.manual_seed(1)
    found = at(name, 64, channels=channels)
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
    spread = {}
    for channels in (("strain",), RGB, STACK):
        found = at("squeezenet1_1", 64, channels=channels)
        first = found.build(6).get_submodule("features.0")
        assert first.weight.shape[1] == first.in_channels == len(channels)
        values = torch.randn(8, len(channels), 64, 64)
        spread[len(channels)] = float(first(values).detach().std())
    assert max(spread.values()) < 1.2 * min(spread.values())


@pytest.mark.parametrize(
    ("size", "outputs"), [((7, 7), 7), ((14, 14), 4), ((2, 3), 7), ((1, 1), 6)]
)
def test_pooling_is_pytorchs(size: tuple[int, int], outputs: int) -> None:
    torch.manual_seed(1)
    torchvision_networks._bins.cache_clear()
    values = torch.rand(2, 5, *size)
    with torch.inference_mode():
        found = torchvision_networks.average_pool(values, (outputs, outputs))
    torch.testing.assert_close(found, adaptive_avg_pool2d(values, outputs))
    # After a prediction, a gradient.
    values.requires_grad_()
    torchvision_networks.average_pool(values, (outputs, outputs)).square().sum().backward()
    ours = values.grad
    values.grad = None
    adaptive_avg_pool2d(values, outputs).square().sum().backward()
    torch.testing.assert_close(ours, values.grad)


def test_no_network_pools_in_a_way_that_cuda_cannot_repeat() -> None:
    for name in ("alexnet", "vgg16"):
        pool = at(name, 64).outline(6).get_submodule("avgpool")
        assert isinstance(pool, torchvision_networks.AveragePool)
    block = at("googlenet", 64).outline(6).get_submodule("aux1")
    assert isinstance(block, torchvision_networks.AuxiliaryHead)


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (48, 64), (64, 64), (224, 224)])
def test_the_small_network_stays_small(size: tuple[int, int]) -> None:
    network = architecture("small", STACK, size, False).build(3)
    assert network.eval()(torch.rand(2, 6, *size)).shape == (2, 3)
    assert sum(parameter.numel() for parameter in network.parameters()) < 20_000


def test_inputs_too_small_for_the_small_network_are_refused() -> None:
    with pytest.raises(UserError, match="at least 8 pixels"):
        architecture("small", RGB, (7, 28), False).build(3)


def test_the_small_network_learns() -> None:
    torch.manual_seed(1)
    labels = torch.arange(60) % 3
    values = torch.rand(60, 3, 28, 28)
    for label in range(3):
        values[labels == label, label, 8:12, 8:12] += 1
    network = architecture("small", FLOW, (28, 28), False).build(3)
    optimiser = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9)
    for _ in range(20):
        for part in torch.randperm(60).split(16):
            optimiser.zero_grad()
            cross_entropy(network(values[part]), labels[part]).backward()
            optimiser.step()
    assert (network.eval()(values).argmax(1) == labels).float().mean() > 0.95
