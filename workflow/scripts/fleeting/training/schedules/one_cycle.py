"""One cycle (Smith & Topin, 2019): the rate rises to its full value, then falls to almost nothing.

Both along half a cosine, as in PyTorch's OneCycleLR; momentum stays as it is.
"""

import math

from pydantic import Field

from fleeting.settings import Variant


class Settings(Variant):
    """PyTorch's own defaults: where the peak is, and the shares of the rate at both ends."""

    kind: str = "one_cycle"
    peak: float = Field(0.3, gt=0, lt=1, description="the peak, as a share of the training")
    first: float = Field(0.04, gt=0, le=1, description="the first step's rate, as a share")
    last: float = Field(4e-6, gt=0, le=1, description="the last step's rate, as a share")


def factor(step: int, steps: int, settings: Settings) -> float:
    """The factor of the learning rate in a step (from 0) of `steps`."""
    peak = settings.peak * steps - 1
    if step <= peak:
        return _between(settings.first, 1.0, step / peak if peak else 1.0)
    return _between(1.0, settings.last, (step - peak) / (steps - 1 - peak))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
