"""A learning rate that falls at given moments, as in the training of the first ResNets."""

from typing import Annotated

from pydantic import Field

from fleeting.settings import Variant


class Settings(Variant):
    """Where the rate falls, as shares of the training, and what it is multiplied by there."""

    kind: str = "step"
    at: list[Annotated[float, Field(gt=0, lt=1)]] = Field([0.5, 0.75], min_length=1)
    factor: float = Field(0.1, gt=0, lt=1)


def factor(step: int, steps: int, settings: Settings) -> float:
    """The factor of the learning rate in a step (from 0) of `steps`."""
    return settings.factor ** sum(step >= share * steps for share in settings.at)
