"""Adadelta (Zeiler, 2012): steps in the units of the weights."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Decay, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults. The publication has no learning rate, which is the rate `1e-00`."""

    kind: str = "adadelta"
    rho: Decay = 0.9
    eps: Epsilon = 1e-6
    weight_decay: WeightDecay = 0


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Adadelta", parameters, lr, settings, capturable=True)
