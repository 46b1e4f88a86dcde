"""What became of every row and image of every database; fails if the counts do not add up."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import accounting, render
from fleeting.evaluation.schemas import DATABASES
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--crop", required=True)
    parser.add_argument("--databases", required=True, help="names with commas between")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    places = accounting.Places(arguments.results, arguments.crop, arguments.experiment)
    frame = accounting.table(places, arguments.databases.split(","))
    tables.write(frame, arguments.output, DATABASES)
    render.write(accounting.page(frame), arguments.output)


if __name__ == "__main__":
    run(main)
