"""Half a cosine from the learning rate down to zero (Loshchilov & Hutter, SGDR, 2017).

Without its restarts.
"""

import math

from fleeting.settings import Variant


class Settings(Variant):
    """Nothing to set."""

    kind: str = "cosine"


def factor(step: int, steps: int, settings: Settings) -> float:
    """The factor of the learning rate in a step (from 0) of `steps`.

    Never zero: the last step is the last before the cosine's end.
    """
    return (1 + math.cos(math.pi * step / steps)) / 2
