"""RMSprop (Hinton's lecture 6e, 2012): gradients over their running root mean square."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Decay, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults."""

    kind: str = "rmsprop"
    alpha: Decay = 0.99
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0
    momentum: Decay = 0
    centered: bool = False


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("RMSprop", parameters, lr, settings, capturable=True)
