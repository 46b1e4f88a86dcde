"""Print what a run came to: warnings, the accounting, the cells, the seconds by stage."""

import argparse
from pathlib import Path

from fleeting.evaluation.summary import summary
from fleeting.logging import run


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiments", nargs="+", required=True, help="of the config")
    arguments = parser.parse_args()
    print(summary(arguments.results, arguments.experiments))


if __name__ == "__main__":
    run(main)
