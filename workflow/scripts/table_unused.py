"""Every crop that an experiment does not use, counted by reason and listed."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import leftovers, render
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    frame = leftovers.unused(arguments.results, arguments.experiment)
    tables.write(frame, arguments.output, tables.UNUSED)
    render.write(leftovers.unused_page(frame), arguments.output)


if __name__ == "__main__":
    run(main)
