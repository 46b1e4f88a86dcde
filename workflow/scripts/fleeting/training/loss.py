"""The training losses: of the classes, and of action units beside them."""

import torch
from torch.nn.functional import cross_entropy, softplus

from fleeting.training.recipe import Recipe


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


def training_losses(
    outputs: torch.Tensor,
    labels: torch.Tensor,
    units: torch.Tensor | None,
    class_weights: torch.Tensor | None,
    recipe: Recipe,
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is minimised, and the loss of the classes alone.

    Args:
        outputs: (B, K + U), those of the classes first.
        labels: (B,) int64 classes, or (B, K) their probabilities.
        units: targets of action units, see `action_unit_loss`; None: they are not learnt.
        class_weights: (K,), for the loss of the classes; None: all the same.
        recipe: smooths the labels, and weighs the loss of the units.
    """
    smoothing = recipe.label_smoothing
    if units is None or recipe.auxiliary is None:
        loss = training_loss(outputs, labels, class_weights, smoothing)
        return loss, loss
    count = units.shape[1] - 1
    of_classes = training_loss(outputs[:, :-count], labels, class_weights, smoothing)
    of_units = action_unit_loss(outputs[:, -count:], units)
    return of_classes + recipe.auxiliary.weight * of_units, of_classes


def action_unit_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean over a batch and the units of the binary cross entropies, 0 where not coded.

    Of a logit z and a target y: log(1 + exp(z)) - y z. An example weighs the same whether or not
    others of its batch were coded, and mixtures of targets give mixtures of losses.

    Args:
        logits: (B, U), of any precision; the loss is float32.
        targets: (B, U + 1): whether each unit is shown, and whether the example was coded; of mixed
            examples the sums of their shares. See `ActionUnits.targets`.
    """
    logits = logits.float()
    shown, coded = targets[:, :-1], targets[:, -1:]
    return (coded * softplus(logits) - shown * logits).mean()
