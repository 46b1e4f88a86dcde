"""Brighter and darker examples: the same value is added to all pixels of a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training.channel_meanings import PICTURES

if TYPE_CHECKING:
    import torch

#: The meanings of channels that it knows what to do to; of motions and differences, gain does.
MEANINGS = PICTURES


class Settings(Variant):
    """What is added is from -`most` to `most` of the range from black to white."""

    kind: str = "brightness"
    most: float = Field(0.2, gt=0, le=1)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Add to a batch's (N, C, H, W) values, to each example its own value; within 0 to 1."""
    import torch

    random = 2 * torch.rand(len(batch), 1, 1, 1, device=batch.device) - 1
    return (batch + settings.most * random).clamp(0, 1)
