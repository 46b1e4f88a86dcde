"""Mirrored examples: each is flipped left to right with a probability of one half."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleeting.errors import UserError
from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch

#: Channels that mean the same in a mirror, alone or as the last part of a name (`apex_red`).
UNSIGNED = ("red", "green", "blue", "vertical", "strain")
#: Channels that point to the other side in a mirror: the motion from left to right.
SIGNED = "horizontal"


class Settings(Variant):
    """Nothing to set."""

    kind: str = "horizontal_flip"


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Flip about half of a batch's (N, C, H, W) values, channels of horizontal motion negated.

    Raises:
        UserError: a channel's name does not say what it becomes in a mirror.
    """
    import torch

    meanings = [channel.rpartition("_")[2] for channel in channels]
    for channel, meaning in zip(channels, meanings, strict=True):
        if meaning not in (*UNSIGNED, SIGNED):
            raise UserError(
                f"recipe.augmentations: horizontal_flip does not know what the channel {channel!r} "
                f"becomes in a mirror (known: {SIGNED}, {', '.join(UNSIGNED)}, also after a `_`). "
                "Name the input's channels so, or remove horizontal_flip from the recipe."
            )
    flipped = batch.flip(3)
    for position, meaning in enumerate(meanings):
        if meaning == SIGNED:
            flipped[:, position].neg_()
    coin = torch.rand(len(batch), 1, 1, 1, device=batch.device) < 0.5
    return torch.where(coin, flipped, batch)
