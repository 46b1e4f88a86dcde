"""Every number, setting and ordering that the paper states, beside this run's."""

import argparse
import json
from pathlib import Path

from fleeting import tables
from fleeting.evaluation import comparison, render, settings
from fleeting.evaluation.classes import Settings
from fleeting.evaluation.collected import Collected
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the table and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--databases", required=True, help="names with commas between")
    parser.add_argument("--settings", type=json.loads, required=True, help="the experiment's block")
    parser.add_argument("--size", type=int, required=True, help="pixels of a crop's side")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    collected = Collected(arguments.results, arguments.experiment)
    stated = settings.compare(
        collected,
        arguments.results,
        arguments.experiment,
        arguments.databases.split(","),
        Settings.of(arguments.settings),
        arguments.size,
    )
    frame = comparison.table(collected, stated)
    tables.write(frame, arguments.output, comparison.COMPARISON)
    render.write(comparison.page(frame, collected), arguments.output)


if __name__ == "__main__":
    run(main)
