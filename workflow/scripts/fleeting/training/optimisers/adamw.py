"""AdamW: Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """PyTorch's own defaults, which are the publication's but for the weight decay."""

    kind: str = "adamw"
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)


def make(
    parameters: "Iterable[torch.nn.Parameter]", lr: "torch.Tensor", settings: Settings
) -> "torch.optim.Optimizer":
    """An optimiser whose state starts at zero.

    `lr` is a 0-d tensor on the parameters' device that changes with every step.
    """
    import torch

    return torch.optim.AdamW(
        parameters,
        lr,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
        fused=True,
        # A recorded step has to count its steps on the device.
        capturable=lr.device.type == "cuda",
    )
