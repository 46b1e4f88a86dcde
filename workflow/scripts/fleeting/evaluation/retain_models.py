"""Where the config keeps only the chosen models: the others are removed."""

from itertools import product
from pathlib import Path

from fleeting import tsv
from fleeting.evaluation import schemas
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
    nested: Path,
    output: Path,
) -> None:
    """Remove the models that no choice is about, and list those that stay.

    Of the paper's and validation's choice, all models stay; of the nested one, each fold's own.

    Args:
        results: the results folder, which holds the runs.
        experiment: its name.
        grid: the experiment's block of the config.
        parts: how many jobs share the folds of a run.
        choices: evaluation/choices.tsv.
        nested: evaluation/nested.tsv.
        output: receives the list (`RETAINED`).
    """
    chosen = {(choice.model, choice.lr) for choice in read_choices(choices)}
    rows_by_fold = schemas.read(nested, schemas.NESTED)[["model", "lr", "repeat", "fold"]]
    by_fold = set(rows_by_fold.itertuples(index=False, name=None))
    repeats, part_numbers = range(1, grid.repeats + 1), range(1, parts + 1)
    rows = []
    for model, lr, repeat, part in product(grid.models, grid.lrs, repeats, part_numbers):
        folder = run_folder(results, experiment, model, lr, repeat, part) / "models"
        for path in sorted(folder.glob("fold*.pt")):
            fold = int(path.stem.removeprefix("fold"))
            if (model, lr) in chosen or (model, lr, repeat, fold) in by_fold:
                place = path.relative_to(results).as_posix()
                rows.append({"model": model, "lr": lr, "repeat": repeat, "path": place})
            else:
                path.unlink()
    tsv.write_rows(rows, output, RETAINED)
