"""ResNet50 of He et al. (2015), as torchvision provides it."""

import torch
import torchvision

from fleeting.training.residual import HEAD, with_head

__all__ = ["HEAD", "WEIGHTS", "build"]

#: torchvision's IMAGENET1K_V1 weights; the digits are the start of the file's sha256.
WEIGHTS = "resnet50-0676ba61.pth"


def build(classes: int) -> torch.nn.Module:
    """A network for (N, 3, H, W) float images that returns (N, classes) logits."""
    return with_head(torchvision.models.resnet50(weights=None), classes)
