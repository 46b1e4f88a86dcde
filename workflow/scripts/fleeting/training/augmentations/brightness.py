"""Brighter and darker examples: the same value is added to all pixels of a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.errors import UserError
from fleeting.settings import Variant
from fleeting.training.channel_meanings import PICTURES, meanings

if TYPE_CHECKING:
    import torch

#: What it does follows from what the channels hold.
READS_CHANNELS = True


class Settings(Variant):
    """What is added is from -`most` to `most` of the range from black to white."""

    kind: str = "brightness"
    most: float = Field(0.2, gt=0, le=1)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Add to a batch's (N, C, H, W) values, to each example its own value; within 0 to 1.

    Raises:
        UserError: a channel is no colour and not grey.
    """
    import torch

    for channel, meaning in zip(channels, meanings(channels, settings.kind), strict=True):
        if meaning not in PICTURES:
            raise UserError(
                f"recipe.augmentations: brightness is of pictures, and the channel {channel!r} is "
                "a motion or a difference. For these there is gain; remove brightness from the "
                "recipe."
            )
    random = 2 * torch.rand(len(batch), 1, 1, 1, device=batch.device) - 1
    return (batch + settings.most * random).clamp(0, 1)
