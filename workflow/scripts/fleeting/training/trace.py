"""The predictions of a fold's test examples after every epoch, for the leak meter alone.

They show what choosing an epoch on the test set would have claimed. Fitting neither sees nor waits
for them: they are made where an epoch is reported, and change no random number and no weight.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from fleeting.splits.folds import Subset
from fleeting.training import generators

#: Classes as places in the list of classes.
DTYPE = torch.int16


class Trace:
    """What a fold's network predicted after each epoch."""

    def __init__(self, predict: Callable[[], torch.Tensor], device: torch.device) -> None:
        """Take a function that predicts the test examples as (N, classes) logits.

        Args:
            predict: leaves the network in evaluation mode, as the end of an epoch does.
            device: where it computes.
        """
        self._predict, self._device = predict, device
        #: The predicted class of each example after each epoch, (N) each, on the CPU.
        self.epochs: list[torch.Tensor] = []

    def resume(self, epochs: Sequence[torch.Tensor]) -> None:
        """Take the epochs that another process did."""
        self.epochs = list(epochs)

    def end_epoch(self) -> None:
        """Predict the test examples as the network is now."""
        states = generators.states(self._device)
        logits = self._predict()
        # As the predictions after the last epoch: of probabilities, the first of equals.
        self.epochs.append(logits.softmax(1).argmax(1).to(DTYPE).cpu())
        generators.restore(states, self._device)


def rows(
    fold: int, subset: Subset, epochs: Sequence[torch.Tensor], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of `tsv.TRACE`.

    Args:
        fold: its number.
        subset: its test examples.
        epochs: the places in `classes` that were predicted, (N) for each epoch.
        classes: the labels in the order of the network's outputs.
    """
    return [
        {
            "fold": fold,
            "epoch": epoch,
            "example": example,
            "label": label,
            "predicted": classes[place],
        }
        for epoch, predicted in enumerate(epochs, start=1)
        for example, label, place in zip(
            subset.examples, subset.labels, predicted.tolist(), strict=True
        )
    ]
