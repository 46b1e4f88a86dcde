"""Turned examples: each by an angle of its own, about the middle; motions turn with the face."""

from collections.abc import Sequence
from math import radians
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
    """An example is turned by up to `degrees` to either side, all angles equally likely."""

    kind: str = "rotation"
    degrees: float = Field(10, gt=0, le=180)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Turn a batch's (N, C, H, W) values, each example by its own angle.

    Raises:
        UserError: a channel's name does not say whether it turns.
    """
    import torch

    random = 2 * torch.rand(len(batch), device=batch.device) - 1
    scales = torch.ones_like(random)
    return warped(batch, channels, radians(settings.degrees) * random, scales, settings.kind)
