"""Stochastic gradient descent, the paper's optimiser (section 3)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import model_validator

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Decay, WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """The paper is silent on all of them; PyTorch's own defaults.

    Its `dampening` is left out: the first step would ignore it.
    """

    kind: str = "sgd"
    momentum: Decay = 0
    weight_decay: WeightDecay = 0
    nesterov: bool = False

    @model_validator(mode="after")
    def _check_nesterov(self) -> "Settings":
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: it needs a momentum")
        return self


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    import torch

    optimiser = torch_optimiser.make("SGD", parameters, lr, settings, fused=True)
    if settings.momentum:
        # PyTorch starts with the first gradient, which is the same as a step from zero. Here a fold
        # that starts with zeros takes the same path whether it is the process's first or not.
        for parameter in optimiser.param_groups[0]["params"]:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimiser
