"""The paper's split: examples drawn at random, class by class, regardless of the subject."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import ConfigDict, Field

from fleeting.errors import UserError
from fleeting.settings import Settings as Block
from fleeting.settings import Variant
from fleeting.splits.protocol import Draw, Fold, Positions, derived_seed

if TYPE_CHECKING:
    import pandas as pd


class FromTrain(Block):
    """Validation examples are a share of the training examples."""

    model_config = ConfigDict(serialize_by_alias=True)

    source: Literal["train"] = Field(default="train", alias="from")
    fraction: float = Field(
        default=0.2, gt=0, lt=1, description="The share of the training examples that validate."
    )


class FromSurplus(Block):
    """Validation examples are drawn from beyond the cap, as many as there are test examples."""

    model_config = ConfigDict(serialize_by_alias=True)

    source: Literal["surplus"] = Field(default="surplus", alias="from")


class Settings(Variant):
    """The keys of `protocol: {kind: random_images}`."""

    images_per_class: int = Field(
        100,
        ge=4,
        le=1_000_000,
        description="Section 3: 'each class was filtered to have maximum of 100 images'.",
    )
    test_fraction: float = Field(
        0.25, gt=0, lt=1, description="Section 3, equation (1): 'the ratio of 75:25'."
    )
    validation: Annotated[FromTrain | FromSurplus, Field(discriminator="source")] = Field(
        default=FromTrain(),
        description=(
            "Section 3 names a validation set and does not say where it is from. {from: train, "
            "fraction: 0.2} takes a fifth of the training images (60/15/25); {from: surplus} takes "
            "as many images as the test set has from beyond the cap (75/25/25)."
        ),
    )
    seed: int = Field(
        1,
        ge=0,
        le=2**32 - 1,
        description="Decides which images are drawn. The paper is silent.",
    )
    redraw: bool = Field(
        False,
        description="Whether each repeat has a split of its own. The paper does not say that its "
        "ten experiments did.",
    )


def folds(settings: Settings) -> int | None:
    """One split for all repeats, or one for each."""
    return None if settings.redraw else 1


def share(total: int, threshold: float) -> int:
    """Equation (1) of the paper: the images after the split, S_i = X * S_t, rounded half up."""
    exact = Decimal(total) * Decimal(str(threshold))
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def split(examples: "pd.DataFrame", classes: list[str], settings: Settings, repeats: int) -> Draw:
    """Balance the classes and split each into training, validation and test examples.

    The cap comes first ("each class was filtered to have maximum of 100 images"), then the test
    examples by equation (1) with 75:25, the rest to train; then the validation examples, either a
    fraction of the training examples or as many as there are test examples from beyond the cap.
    Each class has its own generator, so that adding examples to one class does not redraw another.
    A class that falls short of the cap is noted and never padded.

    Args:
        examples: see `fleeting.splits.protocol`.
        classes: the labels of the examples.
        settings: the protocol's block of the config.
        repeats: how many splits are drawn with `redraw`.

    Raises:
        UserError: no example of a class is left to train on.
    """
    notes: list[str] = []
    if not settings.redraw:
        made = [_fold("1", "", None, examples, classes, settings, notes)]
    else:
        made = [
            _fold(f"repeat {repeat}", f"/{repeat}", repeat, examples, classes, settings, notes)
            for repeat in range(1, repeats + 1)
        ]
    return Draw(made, ("over_cap", "over the cap"), list(dict.fromkeys(notes)))


def _fold(
    name: str,
    seed_suffix: str,
    repeat: int | None,
    examples: "pd.DataFrame",
    classes: list[str],
    settings: Settings,
    notes: list[str],
) -> Fold:
    """One draw; sentences about what fell short are added to `notes`."""
    chosen: list[tuple[Positions, Positions, Positions]] = []
    cap, validation = settings.images_per_class, settings.validation
    labels = examples["label"].to_numpy()
    for label in classes:
        members = np.flatnonzero(labels == label)
        generator = np.random.default_rng(derived_seed(settings.seed, label + seed_suffix))
        members = members[generator.permutation(len(members))]
        drawn = members[:cap]
        if len(drawn) < cap:
            notes.append(f"class {label}: {len(drawn)} examples, {cap - len(drawn)} short of {cap}")
        test_count = share(len(drawn), settings.test_fraction)
        test, train = drawn[:test_count], drawn[test_count:]
        if isinstance(validation, FromTrain):
            wanted = share(len(train), validation.fraction)
            held_out, train = train[:wanted], train[wanted:]
        else:
            wanted = test_count
            held_out = members[cap : cap + wanted]
        if len(held_out) < max(wanted, 1):
            notes.append(
                f"class {label}: {len(held_out)} validation examples, {max(wanted, 1)} are wanted"
            )
        if not len(train):
            raise UserError(
                f"class {label} has {len(members)} example(s) and none is left to train on; remove "
                "it from the label map, or lower protocol.test_fraction"
            )
        chosen.append((train, held_out, test))
    train, held_out, test = map(np.concatenate, zip(*chosen, strict=True))
    return Fold(name, train, held_out, test, repeat)
