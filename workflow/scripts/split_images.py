"""Balance and split the crops of one experiment."""

import argparse
import json
from pathlib import Path

from fleeting.logging import run
from fleeting.splits.split import save, split


def main() -> None:
    """Read the command line, split and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--crop", required=True)
    parser.add_argument("--databases", nargs="+", required=True)
    parser.add_argument("--label-map", type=json.loads, required=True, help="JSON")
    parser.add_argument("--phases", nargs="+", required=True)
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--unused", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    arguments = parser.parse_args()
    used, unused, images = split(
        arguments.results,
        arguments.crop,
        arguments.databases,
        arguments.label_map,
        arguments.phases,
        arguments.settings,
    )
    save(used, unused, images, arguments.split, arguments.unused, arguments.folds)


if __name__ == "__main__":
    run(main)
