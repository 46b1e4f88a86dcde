"""The configurations that the detailed tables are about: the paper's, and validation's choice."""

import pandas as pd

from fleeting.evaluation.paper_values import PAPER_LR, PAPER_MODEL, rate_in
from fleeting.evaluation.runs import Grid
from fleeting.evaluation.schemas import CHOICES


def choice_table(runs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The paper's fixed configuration, and the one that validation examples choose.

    `validation` is the configuration with the highest mean validation accuracy at the last epoch;
    among equals, the first of the grid. One with failed repeats is chosen only if all have some.

    Args:
        runs: the rows of evaluation/runs.tsv of runs that finished.
        grid: the grid.
    """
    grouped = runs.groupby(["model", "lr"], sort=False)
    # Rounded, so that the order of a sum never decides between equal configurations.
    found = pd.DataFrame(
        {
            "accuracy": grouped["validation_accuracy"].mean(skipna=False).round(9),
            "repeats": grouped["repeat"].nunique(),
        }
    ).reset_index()
    if (found["repeats"] == grid.repeats).any():
        found = found[found["repeats"] == grid.repeats]
    chosen = found.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    reason = (
        f"highest mean validation accuracy at the last epoch ({chosen['accuracy']:.3f}, "
        f"{chosen['repeats']} repeats)"
        if found["accuracy"].notna().any()
        else "first configuration of the grid: there is no validation accuracy to choose by"
    )
    rows = [("paper", *paper_choice(grid)), ("validation", chosen["model"], chosen["lr"], reason)]
    return pd.DataFrame(rows, columns=list(CHOICES))


def paper_choice(grid: Grid) -> tuple[str, str, str]:
    """The paper's model and rate, or what stands in for them in this grid, and the reason."""
    lr = rate_in(grid.lrs, PAPER_LR)
    if PAPER_MODEL in grid.models and lr:
        return PAPER_MODEL, lr, "the paper's own choice (section 4.3), fixed beforehand"
    reason = "first model and last rate: the paper's ResNet18 at 1e-05 is not in this grid"
    return grid.models[0], grid.lrs[-1], reason
