"""A shallow network of two convolutions, for pictures of motion of 28x28 pixels.

The kind of two-layer network that the field trains from scratch on flow from onset to apex: 14x14
positions after the first pooling, 7x7 after the second, all of which the one linear layer sees. Its
filters are our own choice: about 10,000 weights for three channels and three classes. It is made
for AdamW, a cosine schedule, averaged weights and mirrored examples.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from fleeting.errors import UserError

if TYPE_CHECKING:
    from torch import nn

#: Filters of the two convolutions; each is followed by a pooling of 2x2.
FILTERS = (16, 32)
#: The most positions a side that the classifier sees: those of an input of 28 pixels. Of a larger
#: one, neighbours are averaged.
POSITIONS = 7


def build(classes: int, channels: int, size: tuple[int, int]) -> "nn.Module":
    """A network for (N, channels, *size) float values that returns (N, classes) logits.

    Raises:
        UserError: the input is smaller than 4 pixels.
    """
    from torch import nn

    height, width = (side // 2 ** len(FILTERS) for side in size)
    if min(height, width) < 1:
        raise UserError(f"the network two_layer needs inputs of at least 4 pixels, not {size}")
    features: list[nn.Module] = []
    for filters in FILTERS:
        features += [
            nn.Conv2d(channels, filters, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
        channels = filters
    # Rounded up, so that there are never more.
    pool = (-(-height // POSITIONS), -(-width // POSITIONS))
    positions = (height // pool[0]) * (width // pool[1])
    layers = {
        "features": nn.Sequential(*features),
        "pool": nn.AvgPool2d(pool),
        "flatten": nn.Flatten(),
        "head": nn.Linear(channels * positions, classes),
    }
    return nn.Sequential(OrderedDict(layers))
