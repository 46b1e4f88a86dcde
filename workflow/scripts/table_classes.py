"""Images of each class before and after balancing, by database."""

import argparse
import json
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import classes, render
from fleeting.evaluation.schemas import CLASSES
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--databases", required=True, help="names with commas between")
    parser.add_argument("--settings", type=json.loads, required=True, help="the experiment's block")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    settings = classes.Settings.of(arguments.settings)
    databases = arguments.databases.split(",")
    frame = classes.table(arguments.results, arguments.experiment, databases, settings)
    tables.write(frame, arguments.output, CLASSES)
    render.write(classes.page(frame), arguments.output)


if __name__ == "__main__":
    run(main)
