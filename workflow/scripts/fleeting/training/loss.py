"""The training loss."""

import torch
from torch.nn.functional import cross_entropy


def training_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    class_weights: torch.Tensor | None,
    label_smoothing: float,
) -> torch.Tensor:
    """The mean over a batch of the examples' cross entropies, each times its class's weight.

    Args:
        logits: (B, K), of any precision; the loss is float32.
        targets: (B,) int64 classes, or (B, K) their probabilities.
        class_weights: (K,); None: all the same.
        label_smoothing: the share of each label that all classes share (Szegedy et al., 2016).
    """
    logits = logits.float()
    if class_weights is None:
        return cross_entropy(logits, targets, label_smoothing=label_smoothing)
    # Not PyTorch's weighted mean, which divides by the weights in the batch: a batch of one class
    # would then weigh as much as any other.
    summed = cross_entropy(
        logits, targets, class_weights, reduction="sum", label_smoothing=label_smoothing
    )
    return summed / len(targets)
