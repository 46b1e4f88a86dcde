"""Show a split as folders of links, one a class."""

import argparse
import logging
from pathlib import Path

from fleeting.logging import run
from fleeting.splits.folders import link


def main() -> None:
    """Read the command line and make the links."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    count = link(arguments.split, arguments.crops, arguments.output)
    logging.info("%d links in %s", count, arguments.output)


if __name__ == "__main__":
    run(main)
