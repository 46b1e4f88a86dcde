"""Examples turned and scaled about their middle."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleeting.training.channel_meanings import HORIZONTAL, VERTICAL, meanings

if TYPE_CHECKING:
    import torch


def warped(
    batch: "torch.Tensor",
    channels: Sequence[str],
    angles: "torch.Tensor",
    scales: "torch.Tensor",
    wanted_by: str,
) -> "torch.Tensor":
    """Turn and scale pictures, and the motions in them; zeros fill what comes in at the borders.

    Args:
        batch: (N, C, H, W) values.
        channels: their names.
        angles: (N,) in radians, clockwise as seen.
        scales: (N,); above 1, a face and its motions grow. Strain, a ratio, stays.
        wanted_by: see `channel_meanings.meanings`, as for errors.
    """
    import torch
    from torch.nn.functional import grid_sample

    height, width = batch.shape[2:]
    cosine, sine = angles.cos() * scales, angles.sin() * scales
    # Where each output pixel comes from: the inverse, in pixels about the middle.
    square = scales.square()
    down = torch.arange(height, device=batch.device) - (height - 1) / 2
    right = (torch.arange(width, device=batch.device) - (width - 1) / 2)[None, :]
    inverse = [(value / square)[:, None, None] for value in (cosine, sine)]
    source_right = inverse[0] * right + inverse[1] * down[:, None]
    source_down = inverse[0] * down[:, None] - inverse[1] * right
    # grid_sample's unit: -1 and 1 are the middles of the outermost pixels.
    unit = max(width - 1, 1) / 2, max(height - 1, 1) / 2
    grid = torch.stack([source_right / unit[0], source_down / unit[1]], dim=3)
    found = grid_sample(batch, grid, align_corners=True)
    found = found.contiguous(memory_format=torch.channels_last)
    named = meanings(channels, wanted_by)
    for first, (one, other) in enumerate(zip(named, named[1:], strict=False)):
        if (one, other) == (HORIZONTAL, VERTICAL):
            across, along = found[:, first].clone(), found[:, first + 1].clone()
            c, s = cosine[:, None, None], sine[:, None, None]
            found[:, first] = c * across - s * along
            found[:, first + 1] = s * across + c * along
    return found
