"""Mirrored examples: each is flipped left to right with a probability of one half."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleeting.settings import Variant
from fleeting.training.channel_meanings import KNOWN
from fleeting.training.mirror import mirrored

if TYPE_CHECKING:
    import torch

#: The meanings of channels that it knows what to do to.
MEANINGS = KNOWN


class Settings(Variant):
    """Nothing to set."""

    kind: str = "horizontal_flip"


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Flip about half of a batch's (N, C, H, W) values, channels of horizontal motion negated.

    Raises:
        UserError: a channel's name does not say what it becomes in a mirror.
    """
    import torch

    coin = torch.rand(len(batch), 1, 1, 1, device=batch.device) < 0.5
    return torch.where(coin, mirrored(batch, channels, settings.kind), batch)
