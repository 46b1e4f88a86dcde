"""Stronger and weaker examples: all values of one are multiplied by the same factor.

For motions: the same expression, shown more or less intensely. In pictures it changes the contrast
with black.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch

#: Channels of any meaning can be multiplied, where 0 is known.
MEANINGS = None


class Settings(Variant):
    """The factor is from 1 - `most` to 1 + `most`, all equally likely."""

    kind: str = "gain"
    most: float = Field(0.2, gt=0, lt=1)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Multiply a batch's (N, C, H, W) values, each example by a factor of its own."""
    import torch

    random = 2 * torch.rand(len(batch), 1, 1, 1, device=batch.device) - 1
    return batch * (1 + settings.most * random)
