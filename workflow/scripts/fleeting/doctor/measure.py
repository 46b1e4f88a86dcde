"""A few training steps on this machine, by the trainer itself, on pictures of noise."""

import gc
import resource
import statistics
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from fleeting import registry
from fleeting.training.devices import keep_freed_memory
from fleeting.training.images import Images
from fleeting.training.memory import explained
from fleeting.training.precision import choose
from fleeting.training.trainer import Epoch, Recipe, prepare, train

#: Steps an epoch, epochs before the measured ones, measured epochs at most, and the seconds after
#: which no further one is. On a GPU, steps are recorded in the second epoch and replayed later.
STEPS = {"cpu": 1, "cuda": 8}
WARM_UP = {"cpu": 1, "cuda": 2}
MEASURED = {"cpu": 3, "cuda": 20}
PATIENCE = 5.0
#: Low enough that noise is never learnt to numbers that are none.
LR = 1e-5
#: Keys of a recipe that do not decide how long a step takes.
NO_MATTER = {"weights", "epochs", "seed"}


@dataclass(frozen=True)
class Case:
    """What a step's time depends on; `validation` images are looked at for each trained one."""

    model: str
    size: int
    classes: int
    validation: float
    recipe: dict[str, Any]

    def key(self) -> tuple[object, ...]:
        """Equal for equal cases."""
        recipe = tuple(sorted((key, self.recipe[key]) for key in {*self.recipe} - NO_MATTER))
        return (self.model, self.size, self.classes, round(self.validation, 2), recipe)


@dataclass(frozen=True)
class Speed:
    """What was measured.

    Attributes:
        seconds: of a training image, its share of the validation included.
        peak_bytes: the most memory that the process (on a GPU: PyTorch on it) needed.
        precision: what the network multiplied in.
    """

    seconds: float
    peak_bytes: int
    precision: str


class _Enough(Exception):
    """Ends a training that is long enough to be measured."""


def measure(case: Case, device: torch.device) -> Speed:
    """Train on noise for a few epochs of a few steps.

    Raises a `UserError` where the memory does not hold the network at this batch size.
    """
    kind = device.type
    recipe = Recipe.of({**case.recipe, "epochs": WARM_UP[kind] + MEASURED[kind]})
    seed = prepare(recipe, 1)
    ends: list[float] = []

    def note_time(epoch: Epoch) -> None:
        ends.append(time.perf_counter())
        if epoch.epoch > WARM_UP[kind] and ends[-1] - ends[0] > PATIENCE:
            raise _Enough

    if kind == "cpu":
        keep_freed_memory()
    else:
        # What is left of the case before is not this one's.
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    count = STEPS[kind] * recipe.batch_size
    precision = choose(recipe.precision, device, case.size)
    name = "cpu" if kind == "cpu" else torch.cuda.get_device_name(device)
    with explained(case.model, recipe, case.size, precision, name), suppress(_Enough):
        network = registry.load("model", case.model).build(case.classes)
        network.to(device, memory_format=torch.channels_last)
        training = _noise(count, case, device)
        validation = _noise(max(1, round(count * case.validation)), case, device)
        train(network, training, validation, LR, recipe, precision, seed, note_time)
    measured = ends[WARM_UP[kind] - 1 :]
    epochs = [end - start for start, end in zip(measured, measured[1:], strict=False)]
    return Speed(statistics.median(epochs) / count, _peak(device), precision)


@cache
def operations(model: str, size: int) -> int:
    """The operations of a forward pass over one image; training needs three times as many."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        registry.load("model", model).build(2).eval()(torch.zeros(1, 3, size, size))
    return counter.get_total_flops()


def _noise(count: int, case: Case, device: torch.device) -> Images:
    pixels = torch.randint(0, 256, (count, case.size, case.size, 3), dtype=torch.uint8)
    labels = torch.randint(0, case.classes, (count,))
    return Images([""] * count, pixels.permute(0, 3, 1, 2), labels).to(device)


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
