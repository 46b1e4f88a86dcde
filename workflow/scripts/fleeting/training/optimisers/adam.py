"""Adam (Kingma & Ba, 2015); its weight decay is added to the gradient."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Betas, Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults, which are the publication's."""

    kind: str = "adam"
    betas: Betas = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0
    amsgrad: bool = False


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Adam", parameters, lr, settings, fused=True, capturable=True)
