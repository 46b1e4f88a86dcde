"""Balancing: how often a fold's training examples of each class are used, and what they weigh.

It touches the training examples alone: what validates and what is tested stays as in the split. A
balance is a module in `training/balances/` with two names:

- `Settings`, a `fleeting.settings.Variant`: its keys in the config;
- `examples(counts, settings) -> dict[str, int]`: how many training examples of each class a fold is
  fitted on, from how many it has. Classes without any are in neither.

One that weighs the loss has a third:

- `weights(counts, settings) -> dict[str, float]`: what an example of each class weighs in the
  training loss; the others have 1.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fleeting import registry
from fleeting.settings import Variant
from fleeting.splits.folds import FoldSubsets, Subset
from fleeting.splits.protocol import derived_seed
from fleeting.training import generators
from fleeting.training.recipe import Recipe


def balanced_fold(fold: FoldSubsets, recipe: Recipe, repeat: int) -> FoldSubsets:
    """A fold with its training examples balanced; what is drawn follows from the fold's seed."""
    seed = generators.fold_seed(recipe.seed, repeat, fold.name)
    return replace(fold, train=balanced(fold.train, recipe.balance, seed))


def counts(labels: Sequence[str], settings: Variant) -> dict[str, int]:
    """How many examples of each class a fold is fitted on, from the labels that it trains on."""
    if not labels:
        return {}
    found: dict[str, int] = registry.load("balance", settings.kind).examples(
        Counter(labels), settings
    )
    return found


def balanced(subset: Subset, settings: Variant, seed: int) -> Subset:
    """A subset with as many examples of each class as the balance asks for, in the same order.

    Examples of a class are drawn at random. Where more are asked for than there are, all are
    repeated equally often, and the rest is drawn.

    Args:
        subset: the training examples of a fold.
        settings: the recipe's `balance`.
        seed: the fold's. Each class draws by itself, whatever others there are.
    """
    chosen: list[int] = []
    for label, number in counts(subset.labels, settings).items():
        own = [place for place, other in enumerate(subset.labels) if other == label]
        times, rest = divmod(number, len(own))
        generator = np.random.default_rng(derived_seed(seed, f"balance/{label}"))
        chosen += [*own * times, *generator.choice(own, rest, replace=False).tolist()]
    chosen.sort()
    return Subset(
        [subset.examples[place] for place in chosen], [subset.labels[place] for place in chosen]
    )


def weighs(settings: Variant) -> bool:
    """Whether a balance weighs the loss."""
    return hasattr(registry.load("balance", settings.kind), "weights")


def class_weights(subset: Subset, classes: Sequence[str], settings: Variant) -> list[float]:
    """What an example of each of `classes` weighs in the training loss, where a balance weighs it.

    A class without training examples weighs nothing.
    """
    found = registry.load("balance", settings.kind).weights(Counter(subset.labels), settings)
    return [float(found.get(label, 0)) for label in classes]
