"""Stochastic gradient descent, the paper's optimiser (section 3)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """The paper is silent on both; PyTorch's own defaults."""

    kind: str = "sgd"
    momentum: float = Field(0, ge=0, lt=1)
    weight_decay: float = Field(0, ge=0)


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """An optimiser whose state starts at zero.

    `lr` is a 0-d tensor on the parameters' device that changes with every step.
    """
    import torch

    optimiser = torch.optim.SGD(
        parameters,
        lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        # One kernel updates all weights, and reads the rate on the device.
        fused=True,
    )
    if settings.momentum:
        # PyTorch starts with the first gradient, which is the same as a step from zero. Here a fold
        # that starts with zeros takes the same path whether it is the process's first or not.
        for parameter in optimiser.param_groups[0]["params"]:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimiser
