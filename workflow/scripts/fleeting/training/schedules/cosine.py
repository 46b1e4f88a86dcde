"""Half a cosine from the learning rate down to zero, after a linear warm-up.

Loshchilov & Hutter, SGDR (2017), without restarts; the warm-up of Goyal et al. (2017).
"""

import math

from pydantic import Field

from fleeting.settings import Variant


class Settings(Variant):
    """The share of all steps in which the rate rises to its full value; 0: no warm-up."""

    kind: str = "cosine"
    warmup: float = Field(0, ge=0, lt=1)


def factor(step: int, steps: int, settings: Settings) -> float:
    """The factor of the learning rate in a step (from 0) of a fold's `steps`.

    Never zero: the last step is the last before the cosine's end.
    """
    rising = math.ceil(settings.warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    return (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2
