"""Keep the models of the paper's and of validation's choice when the others are removed."""

import argparse
import json
from pathlib import Path

from fleeting.evaluation.keep import keep
from fleeting.logging import run


def main() -> None:
    """Read the command line and copy the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--grid", type=json.loads, required=True, help="JSON")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    keep(arguments.results, arguments.experiment, arguments.grid, arguments.output)


if __name__ == "__main__":
    run(main)
