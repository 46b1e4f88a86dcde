"""Larger and smaller examples: each is scaled about its middle, and its motions with it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant
from fleeting.training.channel_meanings import KNOWN
from fleeting.training.warp import warped

if TYPE_CHECKING:
    import torch

#: The meanings of channels that it knows what to do to.
MEANINGS = KNOWN


class Settings(Variant):
    """An example is scaled by a factor from 1 - `most` to 1 + `most`, all equally likely."""

    kind: str = "scale"
    most: float = Field(0.1, gt=0, lt=1)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Scale a batch's (N, C, H, W) values, each example by its own factor.

    Raises:
        UserError: a channel's name does not say whether its values scale, too.
    """
    import torch

    random = 2 * torch.rand(len(batch), device=batch.device) - 1
    angles = torch.zeros_like(random)
    return warped(batch, channels, angles, 1 + settings.most * random, settings.kind)
