"""Table 1: the structure of each model of an experiment, beside the paper's."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation import render, structure
from fleeting.evaluation.collected import experiment_folder
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table in all its forms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--models", required=True, help="names with commas between")
    parser.add_argument("--size", type=int, required=True, help="pixels of a crop's side")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    path = experiment_folder(arguments.results, arguments.experiment) / "split.tsv"
    classes = tables.read(path, tables.SPLITS)["label"].nunique()
    if not classes:
        raise UserError(f"{path}: no image, so there is no class; run `snakemake splits` again")
    frame = structure.table(arguments.models.split(","), classes, arguments.size)
    tables.write(frame, arguments.output, structure.STRUCTURE)
    page = structure.page(frame, classes, arguments.size)
    render.write(page, arguments.output, printed=True)


if __name__ == "__main__":
    run(main)
