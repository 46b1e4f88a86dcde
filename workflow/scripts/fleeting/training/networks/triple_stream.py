"""A shallow network of three streams, of the kind of STSTNet (Liong et al., 2019).

Each stream sees the whole input through few filters of its own, 3, 5 and 8; what they find is
joined, averaged and classified by one linear layer: about 1,700 weights for three classes of 28x28
pixels. Made for pictures of motion (horizontal, vertical and strain).
"""

from typing import TYPE_CHECKING

from fleeting.errors import UserError

if TYPE_CHECKING:
    from torch import nn

#: Filters of the three streams.
FILTERS = (3, 5, 8)


def build(classes: int, channels: int, size: tuple[int, int]) -> "nn.Module":
    """A network for (N, channels, *size) float values that returns (N, classes) logits.

    Raises:
        UserError: the input is smaller than 4 pixels.
    """
    import torch
    from torch import nn

    # Pooled by 3 with a border of one pixel, then by 2.
    height, width = (((side - 1) // 3 + 1) // 2 for side in size)
    if min(height, width) < 1:
        raise UserError(f"the network triple_stream needs inputs of at least 4 pixels, not {size}")

    class Streams(nn.Module):
        """The maps of all streams, side by side."""

        def __init__(self) -> None:
            super().__init__()
            self.streams = nn.ModuleList(
                nn.Sequential(
                    nn.Conv2d(channels, filters, kernel_size=3, padding=1),
                    nn.ReLU(inplace=True),
                    nn.MaxPool2d(3, stride=3, padding=1),
                )
                for filters in FILTERS
            )

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return torch.cat([stream(values) for stream in self.streams], dim=1)

    joined = nn.Sequential(Streams(), nn.AvgPool2d(2), nn.Flatten())
    joined.add_module("head", nn.Linear(sum(FILTERS) * height * width, classes))
    return joined
