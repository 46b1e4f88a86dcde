"""LeNet-5 of LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), II.B.

The network that the paper's review begins with. As published: sums of four that are weighted and
squashed, maps of the second convolution that see some of the first one's (its table I), squashing
by 1.7159 tanh(2 a / 3), initial weights within 2.4 / inputs. Its last layer compares with drawn
characters; here it is linear, for any classes. Its one channel may be several, and faces, which are
no ink on paper, are centred to -0.5..0.5.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

#: Its input; other sizes are resized.
SIZE = (32, 32)
#: Which of the six maps each of the sixteen sees (table I).
SEEN = (
    *((first, first + 1, first + 2) for first in range(6)),
    *((first, first + 1, first + 2, first + 3) for first in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    range(6),
)


def build(classes: int, channels: int, size: tuple[int, int]) -> "nn.Module":
    """A network for (N, channels, 32, 32) float values that returns (N, classes) logits."""
    import torch
    from torch import nn
    from torch.nn.functional import avg_pool2d

    class Squash(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return 1.7159 * torch.tanh(values * (2 / 3))

    class Subsampling(nn.Module):
        """The sums of 2x2 positions, each map times a weight of its own and with a bias."""

        def __init__(self, maps: int) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.empty(maps, 1, 1).uniform_(-2.4 / 4, 2.4 / 4))
            self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return 4 * avg_pool2d(values, 2) * self.weight + self.bias

    class PartlyConnected(nn.Conv2d):
        """A convolution each of whose maps sees some of the maps before it."""

        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__(6, len(SEEN), kernel_size=5)
            seen = torch.zeros(len(SEEN), 6, 1, 1)
            for place, maps in enumerate(SEEN):
                seen[place, [one % 6 for one in maps]] = 1
            self.register_buffer("seen", seen, persistent=False)

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return self._conv_forward(values, self.weight * self.seen, self.bias)

    layers: dict[str, nn.Module] = {
        "c1": nn.Conv2d(channels, 6, kernel_size=5),
        "squash1": Squash(),
        "s2": Subsampling(6),
        "squash2": Squash(),
        "c3": PartlyConnected(),
        "squash3": Squash(),
        "s4": Subsampling(16),
        "squash4": Squash(),
        "c5": nn.Conv2d(16, 120, kernel_size=5),
        "squash5": Squash(),
        "flatten": nn.Flatten(),
        "f6": nn.Linear(120, 84),
        "squash6": Squash(),
        "head": nn.Linear(84, classes),
    }
    for layer in layers.values():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            bound = 2.4 / layer.weight[0].numel()
            nn.init.uniform_(layer.weight, -bound, bound)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return nn.Sequential(OrderedDict(layers))
