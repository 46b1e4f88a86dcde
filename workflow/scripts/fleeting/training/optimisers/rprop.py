"""Rprop (Riedmiller & Braun, 1993): a step for each weight, by the gradient's sign alone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Decay

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults. It is made for whole batches; the learning rate is its first step."""

    kind: str = "rprop"
    etas: tuple[Decay, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50)


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Rprop", parameters, lr, settings, capturable=True)


def initial_state(lr: "torch.Tensor", settings: Settings) -> "dict[str, float | torch.Tensor]":
    """The first step."""
    return {"step_size": lr}
