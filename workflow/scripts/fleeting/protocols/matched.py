"""Another experiment's folds with their groups mixed: what the groups' separation changes.

The test examples, the number of folds, and the number of examples of each class in each role of
each fold are the other experiment's; which example is where is drawn at random. The difference of
two such experiments is the effect of groups on two sides, and of nothing else: `random_images`
against leaving subjects out also differs in training size, class shares and test examples.
"""

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fleeting.errors import UserError
from fleeting.settings import Variant, variant
from fleeting.splits.protocol import Draw, Fold, Positions, derived_seed

if TYPE_CHECKING:
    import pandas as pd


BLOCK = "`config.folds.protocol` gives the other protocol's block"


class Settings(Variant):
    """The keys of `protocol: {kind: matched}`.

    Beyond the check of the config, `to` is the other experiment's protocol in place of its name.
    """

    to: str | dict = Field(description="The experiment whose folds are mixed.")
    seed: int = Field(1, ge=0, le=2**32 - 1, description="Decides which example is where.")


def folds(settings: Settings) -> int | None:
    """As many as the other experiment's; see `Settings` for where its protocol comes from."""
    assert isinstance(settings.to, dict), BLOCK
    module, other = variant("protocol", settings.to)
    number: int | None = module.folds(other)
    return number


def split(examples: "pd.DataFrame", classes: list[str], settings: Settings, repeats: int) -> Draw:
    """Mix the other protocol's folds, class by class; the folds keep their names, so their seeds.

    Args:
        examples: see `fleeting.splits.protocol`.
        classes: the labels of the examples.
        settings: the protocol's block of the config, with the other protocol's block as `to`.
        repeats: as for the other protocol.

    Raises:
        UserError: the other protocol tests an example more than once.
    """
    assert isinstance(settings.to, dict), BLOCK
    module, other_settings = variant("protocol", settings.to)
    other: Draw = module.split(examples, classes, other_settings, repeats)
    tested = np.concatenate([fold.test for fold in other.folds])
    if len(np.unique(tested)) < len(tested):
        raise UserError(
            f"protocol: matched: {other_settings.kind} tests some examples in several folds, which "
            "cannot be mixed; match an experiment that tests each example once"
        )
    used = np.unique(np.concatenate([*(_every(fold) for fold in other.folds)]))
    labels = examples["label"].to_numpy()
    # By class, which fold tests each example: the other's assignment, shuffled.
    test_fold = np.full(len(examples), -1)
    for number, fold in enumerate(other.folds):
        test_fold[fold.test] = number
    for label in classes:
        members = tested[labels[tested] == label]
        members.sort()
        generator = np.random.default_rng(derived_seed(settings.seed, label))
        test_fold[members] = generator.permutation(test_fold[members])
    made = [
        _mixed(fold, used, labels, test_fold == number, classes, settings.seed)
        for number, fold in enumerate(other.folds)
    ]
    return Draw(made, other.unused, other.notes)


def _every(fold: Fold) -> Positions:
    return np.concatenate([*fold.by_role.values()])


def _mixed(
    fold: Fold,
    used: Positions,
    labels: np.ndarray,
    is_tested: np.ndarray,
    classes: list[str],
    seed: int,
) -> Fold:
    """A fold with other examples, as many of each class in each role."""
    train, validation = [], []
    for label in classes:
        rest = used[(labels[used] == label) & ~is_tested[used]]
        generator = np.random.default_rng(derived_seed(seed, f"{fold.name}/{label}"))
        rest = rest[generator.permutation(len(rest))]
        counts = [int((labels[at] == label).sum()) for at in (fold.validation, fold.train)]
        validation.append(rest[: counts[0]])
        train.append(rest[counts[0] : sum(counts)])
    test = np.flatnonzero(is_tested)
    return Fold(fold.name, np.concatenate(train), np.concatenate(validation), test, fold.repeat)
