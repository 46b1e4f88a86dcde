"""Table 3: how often two classes are taken for each other."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import confused_pairs, render
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
    frame = confused_pairs.table(collected)
    tables.write(frame, arguments.output, confused_pairs.PAIRS)
    render.write(confused_pairs.page(frame, collected), arguments.output, printed=True)


if __name__ == "__main__":
    run(main)
