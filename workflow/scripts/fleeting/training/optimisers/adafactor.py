"""Adafactor (Shazeer & Stern, 2018): the second moments of a matrix as rows times columns."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training import torch_optimiser
from fleeting.training.torch_optimiser import Epsilon, WeightDecay

if TYPE_CHECKING:
    import torch

#: It computes its rate on the host, which a recorded step cannot wait for.
RECORDABLE = False


class Settings(Variant):
    """PyTorch's own defaults."""

    kind: str = "adafactor"
    beta2_decay: float = Field(-0.8, le=0)
    eps: tuple[Epsilon | None, Epsilon] = (None, 1e-3)
    d: float = Field(1.0, ge=1)
    weight_decay: WeightDecay = 0


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """PyTorch's optimiser; see `torch_optimiser.make`."""
    return torch_optimiser.make("Adafactor", parameters, lr, settings)
