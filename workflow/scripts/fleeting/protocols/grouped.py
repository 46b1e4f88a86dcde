"""Some folds whose test groups were never trained on, the classes spread evenly over them."""

from collections import Counter
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
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
        UserError: there are fewer groups than folds, too few to validate, or fewer examples of
            every class than folds.
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
    _refuse_few(labels, settings.folds, "all folds", "lower protocol.folds or add data")
    made = []
    outer = StratifiedGroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    for number, (rest, test) in enumerate(outer.split(groups, labels, groups), start=1):
        seed = derived_seed(settings.seed, str(number)) % 2**32
        others = len(set(groups[rest]))
        pieces = min(parts, others)
        remedy = "raise protocol.validation_fraction or add data"
        _refuse_few(labels[rest], pieces, f"fold {number} without its test examples", remedy)
        inner = StratifiedGroupKFold(pieces, shuffle=True, random_state=seed)
        train, validation = next(inner.split(rest, labels[rest], groups[rest]))
        made.append(Fold(str(number), rest[train], rest[validation], test))
    return Draw(made, apart=settings.group)


def _refuse_few(labels: NDArray[np.object_], parts: int, of: str, remedy: str) -> None:
    """Refuse to divide examples into more parts than any class has examples."""
    largest, count = Counter(labels).most_common(1)[0]
    if count < parts:
        raise UserError(
            f"{of}: no class has an example for each of {parts} parts; {largest}, the largest, "
            f"has {count}: {remedy}"
        )
