"""Leave one subject, clip or database out: each group is tested by networks that never saw it."""

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from fleeting.errors import UserError
from fleeting.settings import Variant
from fleeting.splits.protocol import Draw, Fold, derived_seed, group_names

if TYPE_CHECKING:
    import pandas as pd


class Settings(Variant):
    """The keys of `protocol: {kind: leave_one_out}`."""

    group: Literal["subject", "clip", "database"] = Field(
        "subject",
        description="What is left out: every subject, clip or database in turn, at least three.",
    )
    validation_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="The share of the other groups that validate instead of train, rounded up.",
    )
    seed: int = Field(
        1, ge=0, le=2**32 - 1, description="Decides which groups validate in each fold."
    )


def folds(settings: Settings) -> None:
    """None: the number of groups follows from the examples."""


def split(examples: "pd.DataFrame", classes: list[str], settings: Settings, repeats: int) -> Draw:
    """Make a fold for every group: it tests, the others train or validate.

    At least three groups are needed. A fold is named after its group, for example `casme2/sub01`.
    Which groups validate follows from the seed and that name.

    Args:
        examples: see `fleeting.splits.protocol`.
        classes: not used, since nothing is balanced.
        settings: the protocol's block of the config.
        repeats: not used: all repeats share the folds.

    Raises:
        UserError: there are too few groups.
    """
    from sklearn.model_selection import GroupShuffleSplit, LeaveOneGroupOut

    groups = group_names(examples, settings.group)
    others = len(set(groups)) - 1
    if others < 2:
        raise UserError(
            f"leaving one {settings.group} out needs at least 3 of them (to train, validate and "
            f"test), and the examples are of {others + 1}; add data or change protocol.group"
        )
    if math.ceil(settings.validation_fraction * others) >= others:
        raise UserError(
            f"protocol.validation_fraction: {settings.validation_fraction} of {others} "
            f"{settings.group}s, rounded up, leaves none to train on; lower it"
        )
    made = []
    for rest, test in LeaveOneGroupOut().split(groups, groups=groups):
        name = str(groups[test[0]])
        shuffle = GroupShuffleSplit(
            n_splits=1,
            test_size=settings.validation_fraction,
            random_state=derived_seed(settings.seed, name) % 2**32,
        )
        train, validation = next(shuffle.split(rest, groups=groups[rest]))
        made.append(Fold(name, rest[train], rest[validation], test))
    return Draw(made, apart=settings.group)
