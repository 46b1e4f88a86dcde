"""Examples in a mirror."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleeting.training.channel_meanings import HORIZONTAL, meanings

if TYPE_CHECKING:
    import torch


def mirrored(batch: "torch.Tensor", channels: Sequence[str], wanted_by: str) -> "torch.Tensor":
    """A batch's (N, C, H, W) values flipped left to right, horizontal motion negated.

    Raises:
        UserError: see `channel_meanings.meanings`.
    """
    flipped = batch.flip(3)
    for position, meaning in enumerate(meanings(channels, wanted_by)):
        if meaning == HORIZONTAL:
            flipped[:, position].neg_()
    return flipped
