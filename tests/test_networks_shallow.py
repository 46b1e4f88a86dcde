"""LeNet-5 and the network of three streams, against what their publications state; two layers."""

import numpy as np
import pytest
import torch

from fleeting.errors import UserError
from fleeting.training.architecture import architecture

GRAY, FLOW = ("grey",), ("horizontal", "vertical", "strain")


def counts(network: torch.nn.Module) -> dict[str, int]:
    """The parameters of each layer that has any."""
    found = {
        name: sum(one.numel() for one in layer.parameters())
        for name, layer in network.named_children()
    }
    return {name: count for name, count in found.items() if count}


def test_lenet5_has_the_parameters_that_its_paper_states() -> None:
    """Section II.B: 156, 12, 1,516, 32, 48,120 and 10,164 trainable parameters."""
    network = architecture("lenet5", GRAY, (32, 32), False).build(10)
    unseen = 6 * 16 - int(network.c3.seen.sum())
    found = counts(network) | {"c3": counts(network)["c3"] - 25 * unseen}
    assert list(found.values()) == [156, 12, 1516, 32, 48120, 10164, 850]
    seen = network.c3.seen.flatten(1).sum(1).tolist()
    assert seen == [3] * 6 + [4] * 9 + [6]


def test_lenet5_sees_any_input_at_32_pixels() -> None:
    found = architecture("lenet5", ("red", "green", "blue"), (64, 48), False)
    assert found.size == (32, 32)
    torch.manual_seed(0)
    network = found.build(6)
    values = torch.rand(5, 3, 64, 48)
    assert network(found.prepare(values)).shape == (5, 6)
    # A map that another one does not see changes nothing in it.
    maps = torch.rand(1, 6, 14, 14)
    changed = maps.clone()
    changed[:, 4] = 0
    differs = (network.c3(maps) != network.c3(changed)).flatten(2).any(2)[0]
    assert differs.tolist() == (network.c3.seen[:, 4].flatten() == 1).tolist()


def test_lenet5_subsamples_by_weighted_sums() -> None:
    network = architecture("lenet5", GRAY, (32, 32), False).build(10)
    maps = torch.rand(2, 6, 28, 28)
    sums = maps.unfold(2, 2, 2).unfold(3, 2, 2).sum((4, 5))
    expected = sums * network.s2.weight + network.s2.bias
    torch.testing.assert_close(network.s2(maps), expected)


def test_three_streams_are_the_published_ones() -> None:
    found = architecture("triple_stream", FLOW, (28, 28), False)
    network = found.build(3)
    assert sum(counts(network).values()) == (3 + 5 + 8) * (27 + 1) + 400 * 3 + 3
    maps = network[0](torch.rand(2, 3, 28, 28))
    assert maps.shape == (2, 16, 10, 10)
    assert network(torch.rand(2, 3, 28, 28)).shape == (2, 3)
    with pytest.raises(UserError, match="at least 4 pixels"):
        architecture("triple_stream", FLOW, (3, 28), False).build(3)


def test_two_layers_halve_28_pixels_twice_and_see_every_position() -> None:
    network = architecture("two_layer", FLOW, (28, 28), False).build(3)
    convolutions = 3 * 16 * 9 + 16 * 32 * 9 + 2 * (16 + 32)
    assert counts(network) == {"features": convolutions, "head": 7 * 7 * 32 * 3 + 3}
    values = torch.rand(2, 3, 28, 28)
    assert network.features[:4](values).shape == (2, 16, 14, 14)
    assert network[:2](values).shape == (2, 32, 7, 7)
    with pytest.raises(UserError, match="at least 4 pixels"):
        architecture("two_layer", FLOW, (3, 28), False).build(3)


@pytest.mark.parametrize("size", [(4, 4), (20, 28), (32, 32), (64, 48), (224, 224)])
def test_two_layers_take_any_size_with_few_weights(size: tuple[int, int]) -> None:
    network = architecture("two_layer", FLOW, size, False).build(7)
    assert network(torch.rand(2, 3, *size)).shape == (2, 7)
    assert sum(counts(network).values()) < 20_000


@pytest.mark.parametrize("name", ["lenet5", "triple_stream", "small", "two_layer"])
def test_shallow_networks_learn_and_are_reloaded(name: str) -> None:
    torch.manual_seed(0)
    found = architecture(name, FLOW, (28, 28), False)
    network = found.build(2)
    labels = torch.arange(40) % 2
    values = 0.1 * torch.randn(40, 3, 28, 28)
    values[labels == 1, 0, 5:12, 5:12] += 1
    optimiser = torch.optim.AdamW(network.parameters(), 0.003)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(found.prepare(values)), labels).backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        logits = network(found.prepare(values))
    assert np.array_equal(logits.argmax(1), labels)
    other = found.build(2).eval()
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(other(found.prepare(values)), logits)
