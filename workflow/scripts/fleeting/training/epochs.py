"""What is known of an epoch, and which epoch's weights are tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import torch


@dataclass(frozen=True)
class Epoch:
    """The means of one epoch over all training and all validation examples.

    The training loss is the one that is minimised: of balanced examples, and weighted where classes
    are. `validation_uf1` is the mean over the classes with validation examples of
    2TP / (2TP + FP + FN).
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_uf1: float


def uf1(confusion: torch.Tensor) -> float:
    """The unweighted F1 score over the classes that have examples; NaN without any.

    Args:
        confusion: (K, K) counts on the CPU, by true class (rows) and predicted class (columns).
    """
    labelled, named = confusion.sum(1), confusion.sum(0)
    f1 = 2 * confusion.diagonal() / (labelled + named)
    return float(f1[labelled > 0].mean())


def tested(history: Sequence[Epoch], choice: str) -> int:
    """The number of the epoch whose weights are tested.

    Args:
        history: the fold's epochs, from 1.
        choice: the recipe's `tested_epoch`: `last`, or `best_validation`: the epoch with the
            highest validation UF1, then the lowest validation loss, then the earliest. One whose
            validation loss is not finite comes last.
    """
    if choice == "last":
        return history[-1].epoch
    return max(history, key=_rank).epoch


def stopped_early(history: Sequence[Epoch], patience: int | None) -> bool:
    """Whether a fold ends here: the best of its epochs on validation is `patience` epochs ago.

    The best is that of `tested` with `best_validation`. None: it never ends early.
    """
    if patience is None or not history:
        return False
    return history[-1].epoch - tested(history, "best_validation") >= patience


def _rank(epoch: Epoch) -> tuple[bool, float, float]:
    if not isfinite(epoch.validation_loss):
        return False, 0.0, 0.0
    return True, epoch.validation_uf1, -epoch.validation_loss


def failure(history: Sequence[Epoch], choice: str) -> str | None:
    """Why a fold failed: its last training loss, or the tested validation loss, is not finite.

    A validation loss that overflows earlier may come back: batch normalisation's running means
    start far off. It stays a gap in the history.
    """
    last, chosen = history[-1], history[tested(history, choice) - 1]
    for epoch, name, loss in (
        (last, "train", last.train_loss),
        (chosen, "validation", chosen.validation_loss),
    ):
        if not isfinite(loss):
            return f"epoch {epoch.epoch}: the {name} loss is {loss}"
    return None
