"""Predicting a fold's test examples, which fitting never sees."""

from collections.abc import Sequence
from typing import Any

import torch

from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat
from fleeting.training.architecture import Architecture
from fleeting.training.data import scaled
from fleeting.training.mirror import mirrored
from fleeting.training.precision import autocast


def predict(
    network: torch.nn.Module,
    architecture: Architecture,
    stored: torch.Tensor,
    arrays: ArrayFormat,
    batch_size: int,
    precision: str,
    mirror: bool = False,
) -> torch.Tensor:
    """The logits of examples.

    Args:
        network: on the examples' device; left in evaluation mode.
        architecture: prepares values for the network.
        stored: (N, C, H, W) as stored, the channels last in memory.
        arrays: what the stored values stand for.
        batch_size: examples that are computed at once.
        precision: that of the training.
        mirror: whether logits are the mean over each example and its mirror image.

    Returns:
        (N, outputs) logits on the device; those of the classes are the first.

    Raises:
        UserError: a channel's name does not say what it becomes in a mirror.
    """
    network.eval()
    logits = []
    with torch.inference_mode():
        for batch in torch.split(stored, batch_size):
            values = scaled(batch, arrays)
            sides = [values]
            if mirror:
                sides.append(mirrored(values, arrays.channels, "mirrored_test"))
            prepared = [architecture.prepare(side) for side in sides]
            with autocast(precision, stored.device):
                found = [network(values).float() for values in prepared]
            logits.append(torch.stack(found).mean(0) if mirror else found[0])
        return torch.cat(logits)


def rows(
    fold: int, subset: Subset, probabilities: torch.Tensor, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of `tsv.PREDICTIONS`, with a column `p_{class}` for each class.

    Args:
        fold: its number.
        subset: its test examples.
        probabilities: (N, classes) float64 on the CPU, in the order of the examples.
        classes: the labels in the order of the network's outputs.
    """
    columns = [f"p_{label}" for label in classes]
    predicted = probabilities.argmax(1).tolist()
    return [
        {
            "fold": fold,
            "example": example,
            "label": label,
            "predicted": classes[position],
            **dict(zip(columns, row, strict=True)),
        }
        for example, label, position, row in zip(
            subset.examples, subset.labels, predicted, probabilities.tolist(), strict=True
        )
    ]
