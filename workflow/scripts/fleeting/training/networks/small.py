"""A shallow network for inputs of 28 to 64 pixels: three convolutions and one linear layer.

Of the size that the field trains on a few hundred clips from scratch; about 16 thousand weights.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from fleeting.errors import UserError

if TYPE_CHECKING:
    from torch import nn

#: Filters of the three convolutions; each is followed by a pooling of 2x2.
FILTERS = (16, 32, 32)
#: The classifier sees about this many positions a side: where in the face something moves matters.
POSITIONS = 3


def build(classes: int, channels: int, size: tuple[int, int]) -> "nn.Module":
    """A network for (N, channels, *size) float values that returns (N, classes) logits.

    Raises:
        UserError: the input is smaller than 8 pixels.
    """
    from torch import nn

    height, width = (side // 2 ** len(FILTERS) for side in size)
    if min(height, width) < 1:
        raise UserError(f"the network small needs inputs of at least 8 pixels, not {size}")
    features: list[nn.Module] = []
    for filters in FILTERS:
        features += [
            nn.Conv2d(channels, filters, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
        channels = filters
    pool = (max(1, height // POSITIONS), max(1, width // POSITIONS))
    positions = (height // pool[0]) * (width // pool[1])
    layers = {
        "features": nn.Sequential(*features),
        "pool": nn.AvgPool2d(pool),
        "flatten": nn.Flatten(),
        "head": nn.Linear(channels * positions, classes),
    }
    return nn.Sequential(OrderedDict(layers))
