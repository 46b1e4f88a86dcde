"""A constant learning rate: the paper names no schedule."""

from fleeting.settings import Variant


class Settings(Variant):
    """Nothing to set."""

    kind: str = "constant"


def factor(step: int, steps: int, settings: Settings) -> float:
    """The factor of the learning rate in a step (from 0) of `steps`."""
    return 1.0
