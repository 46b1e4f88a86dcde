"""Averaged stochastic gradient descent (Polyak & Juditsky, 1992), as PyTorch has it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import WeightDecay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults; what is tested are the weights themselves, not their mean."""

    kind: str = "asgd"
    lambd: float = Field(1e-4, ge=0)
    alpha: float = Field(0.75, ge=0)
    t0: float = Field(1e6, ge=0)
    weight_decay: WeightDecay = 0


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("ASGD", parameters, lr, settings, capturable=True)


def initial_state(lr: "torch.Tensor", settings: Settings) -> "dict[str, float | torch.Tensor]":
    """The first step's rate, and the share of the weights in their mean."""
    return {"eta": lr, "mu": 1}
