"""Balance and split the crops of one experiment."""

import argparse
import json
from pathlib import Path

from fleeting import tables
from fleeting.logging import run
from fleeting.splits.fold import fold_images
from fleeting.splits.split import FOLD, split


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
    parser.add_argument("--training", type=Path, required=True, help="of the fold, written")
    parser.add_argument("--test", type=Path, required=True, help="of the fold, written")
    arguments = parser.parse_args()
    used, unused = split(
        arguments.results,
        arguments.crop,
        arguments.databases,
        arguments.label_map,
        arguments.phases,
        arguments.settings,
    )
    tables.write(used, arguments.split, tables.SPLITS)
    tables.write(unused, arguments.unused, tables.UNUSED)
    faces = [
        arguments.results / "faces" / arguments.crop / f"{database}.tsv"
        for database in arguments.databases
    ]
    training, test = fold_images(used, unused, faces, FOLD)
    tables.write(training, arguments.training, tables.IMAGES)
    tables.write(test, arguments.test, tables.IMAGES)


if __name__ == "__main__":
    run(main)
