"""The learning rate of a step: a linear warm-up, then the schedule."""

from math import ceil

from fleeting import registry
from fleeting.training.recipe import Recipe


def factor(step: int, steps: int, recipe: Recipe) -> float:
    """What the learning rate is multiplied by.

    Args:
        step: of a fold, from 0.
        steps: of a fold in all; early stopping does not change it.
        recipe: its `warmup` is the share of the steps in which the rate rises to its full value
            (Goyal et al., 2017), its `schedule` what it does in the others.
    """
    rising = ceil(recipe.warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    schedule = registry.load("schedule", recipe.schedule.kind)
    return float(schedule.factor(step - rising, steps - rising, recipe.schedule))
