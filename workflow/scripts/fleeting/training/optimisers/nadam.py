"""NAdam: Adam with Nesterov momentum (Dozat, 2016)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Betas, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults."""

    kind: str = "nadam"
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0
    momentum_decay: float = Field(4e-3, ge=0)
    decoupled_weight_decay: bool = False


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("NAdam", parameters, lr, settings, capturable=True)


def initial_state(lr: "torch.Tensor", settings: Settings) -> "dict[str, float | torch.Tensor]":
    """The product of the momenta up to now."""
    return {"mu_product": 1}
