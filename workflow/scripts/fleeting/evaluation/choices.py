"""The configurations that the detailed tables are about: the paper's, and validation's choice."""

from math import isnan

import pandas as pd

from fleeting.evaluation.grid import Grid
from fleeting.evaluation.paper import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.schemas import CHOICES


def choice_table(runs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The paper's fixed configuration, and the one that validation examples choose.

    `validation` is the configuration with the highest mean validation accuracy at the last epoch;
    among equals, the first of the grid. One that lost repeats is chosen only if all of them did.

    Args:
        runs: the rows of evaluation/runs.tsv of runs that finished.
        grid: the grid.
    """
    model, lr, reason = paper_choice(grid)
    grouped = runs.groupby(["model", "lr"])
    means = grouped["validation_accuracy"].mean(skipna=False)
    counts = grouped["repeat"].nunique()
    complete = [one for one in grid.configurations() if counts.get(one) == grid.repeats]
    # Rounded, so that the order of a sum never decides between equal configurations.
    ranked = [
        (round(float(means[one]), 9), one)
        for one in complete or [one for one in grid.configurations() if one in counts.index]
    ]
    numbers = [pair for pair in ranked if not isnan(pair[0])]
    best, chosen = max(numbers, key=lambda pair: pair[0]) if numbers else ranked[0]
    why = (
        f"highest mean validation accuracy at the last epoch ({best:.3f}, {counts[chosen]} repeats)"
        if numbers
        else "first configuration of the grid: there is no validation accuracy to choose by"
    )
    return pd.DataFrame(
        [("paper", model, lr, reason), ("validation", *chosen, why)], columns=list(CHOICES)
    )


def paper_choice(grid: Grid) -> tuple[str, str, str]:
    """The paper's model and rate, or what stands in for them in this grid, and the reason."""
    rates = [lr for lr in grid.lrs if float(lr) == float(PAPER_LR)]
    if PAPER_MODEL in grid.models and rates:
        return PAPER_MODEL, rates[0], "the paper's own choice (section 4.3), fixed beforehand"
    model, lr = grid.models[0], grid.lrs[-1]
    reason = "first model and last rate: the paper's ResNet18 at 1e-05 is not in this grid"
    return model, lr, reason
