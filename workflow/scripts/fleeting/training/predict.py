"""Prediction: what a fold's model says of its test examples, which fitting never sees."""

from collections.abc import Sequence
from typing import Any

import torch

from fleeting.splits.gate import Arrays
from fleeting.splits.roles import Side
from fleeting.training.architecture import Architecture
from fleeting.training.data import scaled
from fleeting.training.precision import autocast, set_up


def predict(
    network: torch.nn.Module,
    architecture: Architecture,
    stored: torch.Tensor,
    arrays: Arrays,
    batch_size: int,
    precision: str,
) -> torch.Tensor:
    """The logits of examples.

    Args:
        network: on the examples' device; left in evaluation mode.
        architecture: prepares values for the network.
        stored: (N, C, H, W) as stored, the channels last in memory.
        arrays: what the stored values stand for.
        batch_size: examples that are computed at once.
        precision: that of the training.

    Returns:
        (N, classes) logits on the device.
    """
    network.eval()
    set_up(precision)
    found = []
    with torch.inference_mode():
        for part in torch.split(stored, batch_size):
            values = architecture.prepare(scaled(part, arrays))
            with autocast(precision, stored.device):
                found.append(network(values))
        return torch.cat(found).float()


def rows(
    fold: int, side: Side, probabilities: torch.Tensor, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of `tsv.PREDICTIONS`, with a column `p_{class}` for each class.

    Args:
        fold: its number.
        side: its test examples.
        probabilities: (N, classes) float64 on the CPU, in the order of the examples.
        classes: the labels in the order of the network's outputs.
    """
    columns = [f"p_{label}" for label in classes]
    return [
        {
            "fold": fold,
            "example": example,
            "label": label,
            "predicted": classes[predicted],
            **dict(zip(columns, shares, strict=True)),
        }
        for example, label, predicted, shares in zip(
            side.examples,
            side.labels,
            probabilities.argmax(1).tolist(),
            probabilities.tolist(),
            strict=True,
        )
    ]
