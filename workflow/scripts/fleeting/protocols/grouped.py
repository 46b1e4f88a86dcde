"""Some folds whose test groups were never trained on, the classes spread evenly over them."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from fleeting.errors import UserError
from fleeting.settings import Variant
from fleeting.splits.protocol import Draw, Fold, derived_seed, group_names

if TYPE_CHECKING:
    import pandas as pd


class Settings(Variant):
    """The keys of `protocol: {kind: grouped}`."""

    folds: int = Field(5, ge=2, le=1000, description="How many folds; each example tests in one.")
    group: Literal["subject", "clip"] = Field(
        "subject", description="What never has two roles in a fold: a subject, or a clip."
    )
    validation_fraction: float = Field(
        0.2,
        gt=0,
        le=0.5,
        description="About the share of the examples outside the test fold that validate.",
    )
    seed: int = Field(
        1, ge=0, le=2**32 - 1, description="Decides which groups share a fold, and which validate."
    )


def folds(settings: Settings) -> int:
    """As many as the settings say."""
    return settings.folds


def split(examples: "pd.DataFrame", classes: list[str], settings: Settings, repeats: int) -> Draw:
    """Put every group into one fold, with about the class shares of the whole in each.

    The folds are named 1 to k. Which groups validate in a fold follows from the seed and its name.

    Args:
        examples: see `fleeting.splits.protocol`.
        classes: not used: the labels of the examples are.
        settings: the protocol's block of the config.
        repeats: not used: all repeats share the folds.

    Raises:
        UserError: there are fewer groups than folds, or too few to validate.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = group_names(examples, settings.group)
    labels = examples["label"].to_numpy()
    parts = max(2, round(1 / settings.validation_fraction))
    count = len(set(groups))
    if count < settings.folds or count - -(-count // settings.folds) < 2:
        raise UserError(
            f"{settings.folds} folds, each with a {settings.group} to train and one to validate "
            f"besides, need more than the {count} {settings.group}s that there are; lower "
            "protocol.folds or add data"
        )
    made = []
    outer = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    for number, (rest, test) in enumerate(outer.split(groups, labels, groups), start=1):
        seed = derived_seed(settings.seed, str(number)) % 2**32
        others = len(set(groups[rest]))
        inner = StratifiedGroupKFold(min(parts, others), shuffle=True, random_state=seed)
        train, validation = next(inner.split(rest, labels[rest], groups[rest]))
        made.append(Fold(str(number), rest[train], rest[validation], test))
    return Draw(made, apart=settings.group)
