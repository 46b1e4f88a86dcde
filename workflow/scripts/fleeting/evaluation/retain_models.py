"""Where the config keeps only the chosen models: the others are removed."""

from itertools import product
from pathlib import Path

from fleeting import tsv
from fleeting.evaluation.runs import Grid
from fleeting.evaluation.summary import read_choices
from fleeting.paths import run_folder

#: The models that stay; `path` is relative to the results folder.
RETAINED: tsv.Schema = {
    "model": tsv.NAME,
    "lr": tsv.NAME,
    "repeat": tsv.INTEGER,
    "path": tsv.NAME,
}


def run(
    *,
    results: Path,
    experiment: str,
    grid: Grid,
    parts: int,
    choices: Path,
    output: Path,
) -> None:
    """Remove the models of all configurations but the chosen ones, and list those that stay.

    Args:
        results: the results folder, which holds the runs.
        experiment: its name.
        grid: the experiment's block of the config.
        parts: how many jobs share the folds of a run.
        choices: evaluation/choices.tsv.
        output: receives the list (`RETAINED`).
    """
    chosen = {(choice.model, choice.lr) for choice in read_choices(choices)}
    repeats, part_numbers = range(1, grid.repeats + 1), range(1, parts + 1)
    rows = []
    for model, lr, repeat, part in product(grid.models, grid.lrs, repeats, part_numbers):
        folder = run_folder(results, experiment, model, lr, repeat, part) / "models"
        for path in sorted(folder.glob("fold*.pt")):
            if (model, lr) in chosen:
                place = path.relative_to(results).as_posix()
                rows.append({"model": model, "lr": lr, "repeat": repeat, "path": place})
            else:
                path.unlink()
    tsv.write_rows(rows, output, RETAINED)
