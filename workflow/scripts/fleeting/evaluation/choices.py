"""The choices that detailed tables are about: the paper's, validation's and the nested one."""

from collections import Counter
from math import nan

import pandas as pd

from fleeting.evaluation.paper_values import PAPER_LR, PAPER_MODEL, paper_name, rate_in
from fleeting.evaluation.runs import Grid
from fleeting.evaluation.schemas import CHOICES

#: What stands for the model and the rate of the nested choice, which is another one in each fold.
NESTED_MODEL, NESTED_LR = "chosen", "by fold"
NOT_INDEPENDENT = "not independent: test subjects validate other folds"


def choice_table(runs: pd.DataFrame, grid: Grid, nested: pd.DataFrame) -> pd.DataFrame:
    """The paper's fixed configuration, and those that validation examples choose.

    `validation` is the configuration with the highest mean validation accuracy at the tested epoch;
    among equals, the first of the grid. One with failed repeats is chosen only if all have some.
    `nested` is chosen inside each fold, where there are several.

    Args:
        runs: the rows of evaluation/runs.tsv of runs that finished.
        grid: the grid.
        nested: evaluation/nested.tsv; empty where there is no nested choice.
    """
    grouped = runs.groupby(["model", "lr"], sort=False)
    means = grouped["tested_validation_accuracy"].mean(skipna=False)
    # Rounded, so that the order of a sum never decides between equal configurations.
    found = pd.DataFrame(
        {
            "accuracy": means.round(9),
            "repeats": grouped["repeat"].nunique(),
        }
    ).reset_index()
    if (found["repeats"] == grid.repeats).any():
        found = found[found["repeats"] == grid.repeats]
    chosen = found.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    reason = (
        f"highest mean validation accuracy at the tested epoch ({chosen['accuracy']:.3f}, "
        f"{chosen['repeats']} {'repeat' if chosen['repeats'] == 1 else 'repeats'})"
        if found["accuracy"].notna().any()
        else "first configuration of the grid: there is no validation accuracy to choose by"
    )
    if len(nested):
        reason += f"; {NOT_INDEPENDENT}"
    model, lr, fixed = paper_choice(grid)
    rows = [
        ("paper", model, lr, means.get((model, lr), nan), fixed),
        ("validation", chosen["model"], chosen["lr"], chosen["accuracy"], reason),
    ]
    if len(nested):
        counts = Counter(zip(nested["model"], nested["lr"], strict=True))
        (((model, lr), most),) = counts.most_common(1)
        reason = "highest validation UF1 of the fold at the tested epoch, by fold and repeat"
        reason += f" ({configuration_title(model, lr)} in {most} of {len(nested)})"
        rows.append(("nested", NESTED_MODEL, NESTED_LR, nan, reason))
    return pd.DataFrame(rows, columns=list(CHOICES))


def configuration_title(model: str, lr: str) -> str:
    """A configuration for reading, for example `ResNet18 at 1e-05`."""
    if (model, lr) == (NESTED_MODEL, NESTED_LR):
        return "chosen inside each fold"
    return f"{paper_name(model)} at {lr}"


def choice_title(name: str) -> str:
    """What chose a configuration (`paper`, `validation` or `nested`), as a title."""
    return "nested choice" if name == "nested" else f"{name}'s choice"


def paper_choice(grid: Grid) -> tuple[str, str, str]:
    """The paper's model and rate, or what stands in for them in this grid, and the reason."""
    lr = rate_in(grid.lrs, PAPER_LR)
    if PAPER_MODEL in grid.models and lr:
        return PAPER_MODEL, lr, "the paper's own choice (section 4.3), fixed beforehand"
    reason = "first model and last rate: the paper's ResNet18 at 1e-05 is not in this grid"
    return grid.models[0], grid.lrs[-1], reason
