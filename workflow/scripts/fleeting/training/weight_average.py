"""The exponential moving average of a network's weights, which is tested in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


class WeightAverage:
    """An average over the steps of a fold (Polyak & Juditsky, 1992; exponential: Tarvainen 2017).

    It holds all of a network's floating-point state: the statistics of batch normalisation are
    averaged as the weights are. Its tensors stay where they are, as recorded steps need it.
    """

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        """Take a network whose tensors stay where they are; `decay` stays of it in each step."""
        self.decay = decay
        self.own = {
            name: value for name, value in network.state_dict().items() if value.is_floating_point()
        }
        self.mean = {name: value.clone() for name, value in self.own.items()}

    def start(self, mean: Mapping[str, torch.Tensor] | None = None) -> None:
        """Start a fold from the network as it is, or resume it with a saved `mean`."""
        for name, value in (mean or self.own).items():
            self.mean[name].copy_(value)

    def update(self) -> None:
        """Take in the weights after a step."""
        for name, value in self.own.items():
            self.mean[name].lerp_(value, 1 - self.decay)

    @contextmanager
    def in_network(self) -> Iterator[None]:
        """Within the block the network has the average; its own weights come back after it."""
        own = {name: value.clone() for name, value in self.own.items()}
        self.put()
        yield
        for name, value in own.items():
            self.own[name].copy_(value)

    def put(self) -> None:
        """Give the network the average."""
        for name, value in self.mean.items():
            self.own[name].copy_(value)
