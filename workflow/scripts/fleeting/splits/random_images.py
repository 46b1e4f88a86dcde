"""The paper's split: images drawn at random, class by class, whoever they show."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from fleeting.errors import UserError


@dataclass(frozen=True)
class Drawn:
    """The outcome of a draw.

    Attributes:
        split: the images drawn, with a column `split`.
        over: the images beyond the cap that nothing uses.
        notes: a sentence for everything that fell short.
    """

    split: pd.DataFrame
    over: pd.DataFrame
    notes: list[str]


def share(total: int, threshold: float) -> int:
    """Equation (1) of the paper: the images after the split, S_i = X * S_t, rounded half up."""
    exact = Decimal(total) * Decimal(str(threshold))
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def draw(images: pd.DataFrame, classes: list[str], settings: Mapping[str, Any]) -> Drawn:
    """Balance the classes and split each into training, validation and test images.

    The cap comes first ("each class was filtered to have maximum of 100 images"), then the test
    images by equation (1) with 75:25, the rest to train; then the validation images, either a
    fraction of the training images or as many as there are test images from beyond the cap. A
    class is drawn by a generator of its own, so that one class never moves another.

    Args:
        images: the pooled images, sorted, with columns `image` and `label`.
        classes: the classes of the label map.
        settings: `images_per_class`, `test_fraction`, `validation` and `seed` of the config.

    Classes without an image are left out with a note; a class that falls short is noted and never
    padded. Fewer than two classes, or a part of the split without an image, is a `UserError`.
    """
    parts, over, notes = [], [], []
    cap, validation = settings["images_per_class"], settings["validation"]
    for label in classes:
        members = images[images["label"] == label]
        if members.empty:
            notes.append(f"class {label}: no listed database has an image of it; left out")
            continue
        order = _generator(settings["seed"], label).permutation(len(members))
        drawn = members.iloc[order[:cap]]
        beyond = members.iloc[order[cap:]]
        if len(drawn) < cap:
            notes.append(f"class {label}: {len(drawn)} images, {cap - len(drawn)} short of {cap}")
        test = share(len(drawn), settings["test_fraction"])
        if validation["from"] == "train":
            wanted = share(len(drawn) - test, validation["fraction"])
            held, train = drawn.iloc[test : test + wanted], drawn.iloc[test + wanted :]
        else:
            wanted = test
            held, train = beyond.iloc[:wanted], drawn.iloc[test:]
            beyond = beyond.iloc[wanted:]
        if len(held) < max(wanted, 1):
            notes.append(
                f"class {label}: {len(held)} validation images, {max(wanted, 1)} are wanted"
            )
        if train.empty:
            raise UserError(
                f"class {label} has {len(members)} image(s) and none is left to train on; leave it "
                "out of the label map, or lower split.test_fraction"
            )
        parts += [
            drawn.iloc[:test].assign(split="test"),
            held.assign(split="validation"),
            train.assign(split="train"),
        ]
        over.append(beyond)
    if len(over) < 2:
        raise UserError(
            "fewer than two classes of the label map have an image in the listed databases: "
            + "; ".join(notes)
        )
    split = pd.concat(parts)
    for part in ("test", "validation"):
        if not (split["split"] == part).any():
            raise UserError(
                f"the split has no {part} image: " + "; ".join(notes) + ". List more databases, or "
                "change split.test_fraction or split.validation in the config."
            )
    return Drawn(split.sort_values("image"), pd.concat(over).sort_values("image"), notes)


def _generator(seed: int, label: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{label}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
