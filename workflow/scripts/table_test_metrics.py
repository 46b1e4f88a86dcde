"""Table 2: metrics on the test images, for the paper's cell and for validation's."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import metrics, render
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
    frame = metrics.table(collected)
    tables.write(frame, arguments.output, metrics.TEST_METRICS)
    render.write(metrics.page(frame, collected), arguments.output, printed=True)


if __name__ == "__main__":
    run(main)
