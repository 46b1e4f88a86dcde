"""Every cell of the grid, averaged over its repeats."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import all_runs, render
from fleeting.evaluation.collected import Collected
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table and its forms for reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    collected = Collected(arguments.results, arguments.experiment)
    frame = all_runs.table(collected)
    tables.write(frame, arguments.output, all_runs.ALL_RUNS)
    render.write(all_runs.page(frame, collected), arguments.output)


if __name__ == "__main__":
    run(main)
