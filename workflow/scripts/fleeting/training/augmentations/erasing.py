"""Examples without a rectangle (Zhong et al., Random Erasing Data Augmentation, 2020)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """How many examples lose one, and how large its sides are at most, as shares of the picture's.

    Its sides and its place are equally likely, and drawn on their own.
    """

    kind: str = "erasing"
    probability: float = Field(0.5, gt=0, le=1)
    side: float = Field(0.4, gt=0, le=1)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Fill a rectangle of a batch's (N, C, H, W) values with each example's own mean by channel."""
    import torch

    erased = torch.rand(len(batch), 1, 1, 1, device=batch.device) < settings.probability
    for axis, length in ((2, batch.shape[2]), (3, batch.shape[3])):
        random = torch.rand(2, len(batch), 1, 1, 1, device=batch.device)
        side = settings.side * random[0]
        start = (1 - side) * random[1]
        shape = [1, 1, 1, 1]
        shape[axis] = length
        middles = ((torch.arange(length, device=batch.device) + 0.5) / length).view(shape)
        erased = erased & (middles >= start) & (middles < start + side)
    return torch.where(erased, batch.mean((2, 3), keepdim=True), batch)
