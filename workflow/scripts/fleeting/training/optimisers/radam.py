"""RAdam: Adam whose adaptive rate is rectified in its first steps (Liu et al., 2020)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Betas, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults."""

    kind: str = "radam"
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0
    decoupled_weight_decay: bool = False


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("RAdam", parameters, lr, settings, capturable=True)
