"""Shifted examples: each one is moved by some pixels, and zeros fill the gap."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch


class Settings(Variant):
    """An example moves by up to `pixels` up or down and left or right, all equally likely."""

    kind: str = "shift"
    pixels: int = Field(2, ge=1, le=4096)


def apply(batch: "torch.Tensor", channels: Sequence[str], settings: Settings) -> "torch.Tensor":
    """Shift a batch's (N, C, H, W) values, each example by a distance of its own."""
    import torch
    from torch.nn.functional import pad

    count, _, height, width = batch.shape
    most, device = settings.pixels, batch.device
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1), device=device)
    rows = down + torch.arange(height, device=device)
    columns = right + torch.arange(width, device=device)
    examples = torch.arange(count, device=device)[:, None, None]
    # Channels last, as the batch's memory has them.
    padded = pad(batch, (most, most, most, most)).permute(0, 2, 3, 1)
    return padded[examples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
