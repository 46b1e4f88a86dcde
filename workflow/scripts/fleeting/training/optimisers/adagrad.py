"""Adagrad (Duchi et al., 2011): a rate for each weight that only falls."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch

#: It counts its steps on the host, which a recorded step cannot wait for.
RECORDABLE = False


class Settings(Variant):
    """PyTorch's own defaults."""

    kind: str = "adagrad"
    lr_decay: float = Field(0, ge=0)
    weight_decay: WeightDecay = 0
    initial_accumulator_value: float = Field(0, ge=0)
    eps: Epsilon = 1e-10


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Adagrad", parameters, lr, settings)


def initial_state(lr: "torch.Tensor", settings: Settings) -> "dict[str, float | torch.Tensor]":
    """Where the sum of squared gradients starts."""
    return {"sum": settings.initial_accumulator_value}
