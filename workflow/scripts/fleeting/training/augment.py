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
        self, values: torch.Tensor, labels: torch.Tensor, units: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Change a batch.

        Args:
            values: (B, C, ...) as the input declares them.
            labels: (B,) int64.
            units: (B, U + 1) targets of action units; None: they are not learnt.

        Returns:
            The values, the labels and the units. Where an augmentation mixes examples, labels are
            (B, K) probabilities of the classes, and the units are mixed as they are.
        """
        if self.mixes:
            # Not `one_hot`, which asks the device for the largest label.
            places = torch.arange(self.classes, device=labels.device)
            labels = (labels[:, None] == places).to(values.dtype)
            if units is not None:
                # All targets of an example in one row, so that they are mixed with one share.
                labels = torch.cat([labels, units], dim=1)
        for module, settings in self.steps:
            if hasattr(module, "mix"):
                values, labels = module.mix(values, labels, settings)
            else:
                values = module.apply(values, self.channels, settings)
        if self.mixes and units is not None:
            labels, units = labels[:, : self.classes], labels[:, self.classes :]
        return values, labels, units
