"""Gather all runs of an experiment into experiments/{experiment}/evaluation/."""

import argparse
import logging
from pathlib import Path

from fleeting.evaluation import collect, grid, runs
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the collected tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--grid", required=True, help="JSON: models, lrs, repeats, folds")
    parser.add_argument("--allow-missing", action="store_true", help="failed runs are left out")
    arguments = parser.parse_args()
    cells = grid.parse(arguments.grid)
    read = runs.read_all(arguments.results, arguments.experiment, cells)
    folder = arguments.results / "experiments" / arguments.experiment / "evaluation"
    collect.write_all(read, cells, folder, arguments.allow_missing)
    logging.info("%d runs gathered in %s", len(read), folder)


if __name__ == "__main__":
    run(main)
