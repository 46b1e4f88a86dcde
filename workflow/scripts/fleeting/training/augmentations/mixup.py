"""Mixed examples and labels (Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018)."""

from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """The share of an example in a mixture is drawn from Beta(`alpha`, `alpha`)."""

    kind: str = "mixup"
    alpha: float = Field(0.2, gt=0)


def mix(
    batch: "torch.Tensor", targets: "torch.Tensor", settings: Settings
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Mix each example of a batch with the one before it: batches are in random order.

    Args:
        batch: (N, C, H, W) values.
        targets: (N, K) probabilities of the classes; targets of action units may follow these.
        settings: the settings.

    Returns:
        Both mixed, each pair with one share.
    """
    import torch

    alphas = torch.full((len(batch),), settings.alpha, device=batch.device)
    share = torch.distributions.Beta(alphas, alphas, validate_args=False).sample()
    each = share.view(-1, *[1] * (batch.dim() - 1))
    mixed = batch * each + batch.roll(1, 0) * (1 - each)
    return mixed, targets * share[:, None] + targets.roll(1, 0) * (1 - share[:, None])
