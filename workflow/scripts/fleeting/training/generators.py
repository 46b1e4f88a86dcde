"""The random generators that a run may draw from, seeded, saved and put back together."""

import random
from typing import Any

import numpy as np
import torch


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
    """Put back what `states` returned for a device of the same kind."""
    random.setstate(found["python"])
    np.random.set_state(found["numpy"])
    torch.set_rng_state(found["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(found["cuda"], device)
