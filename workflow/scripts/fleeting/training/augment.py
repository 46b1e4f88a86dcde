"""The augmentations of a recipe, applied to a batch of training examples on its device."""

from collections.abc import Sequence

import torch

from fleeting import registry
from fleeting.settings import Variant


class Augmentation:
    """What a recipe does to training examples, in its order; drawn again in each step."""

    def __init__(self, blocks: Sequence[Variant], channels: Sequence[str], classes: int) -> None:
        """Take the recipe's blocks, the input's channels and the number of classes, K."""
        self.steps = [(registry.load("augmentation", block.kind), block) for block in blocks]
        self.channels, self.classes = channels, classes
        self.mixes = any(hasattr(module, "mix") for module, _ in self.steps)

    def __call__(
        self, values: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Change a batch.

        Args:
            values: (B, C, ...) as the input declares them.
            labels: (B,) int64.

        Returns:
            The values, and the labels; or (B, K) probabilities of the classes where an augmentation
            mixes examples.
        """
        if self.mixes:
            # Not `one_hot`, which asks the device for the largest label.
            places = torch.arange(self.classes, device=labels.device)
            labels = (labels[:, None] == places).to(values.dtype)
        for module, settings in self.steps:
            if hasattr(module, "mix"):
                values, labels = module.mix(values, labels, settings)
            else:
                values = module.apply(values, self.channels, settings)
        return values, labels
