"""Adamax (Kingma & Ba, 2015): Adam with the largest gradient in place of the mean square."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Betas, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults, which are the publication's."""

    kind: str = "adamax"
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Adamax", parameters, lr, settings, capturable=True)
