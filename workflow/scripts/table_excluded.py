"""Every row and image that a stage could not use, counted by reason and listed."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import leftovers, render
from fleeting.evaluation.accounting import Places
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
    places = Places(arguments.results, arguments.crop, arguments.experiment)
    frame = leftovers.excluded(places, arguments.databases.split(","))
    tables.write(frame, arguments.output, tables.EXCLUDED)
    render.write(leftovers.excluded_page(frame), arguments.output)


if __name__ == "__main__":
    run(main)
