"""The random generators that a fold may draw from, seeded, saved and restored together."""

import hashlib
import random
from typing import Any

import numpy as np
import torch

#: The name of a protocol's only fold, as in version 1: its seed is the repeat's.
ONLY_FOLD = "1"


def fold_seed(seed: int, repeat: int, name: str) -> int:
    """The seed of a fold in a repeat, from the fold's name, whatever folds come before it.

    Args:
        seed: the recipe's.
        repeat: from 1; neighbours differ by one.
        name: the fold's.
    """
    digest = hashlib.sha256(name.encode()).digest()
    # 30 bits: numpy's generator takes 32, and the recipe's seed has 31.
    offset = 0 if name == ONLY_FOLD else int.from_bytes(digest[:4], "big") >> 2
    return seed + repeat - 1 + offset


def seed(number: int) -> None:
    """Seed all of them, those of every GPU included."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def states(device: torch.device) -> dict[str, Any]:
    """Their states, as `torch.load` reads them with `weights_only=True`."""
    name, words, *rest = np.random.get_state(legacy=True)
    found: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (name, np.asarray(words).tolist(), *rest),
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    return found


def restore(found: dict[str, Any], device: torch.device) -> None:
    """Restore what `states` returned for a device of the same kind."""
    random.setstate(found["python"])
    np.random.set_state(found["numpy"])
    torch.set_rng_state(found["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(found["cuda"], device)
