"""Write one synthetic database: table, frames, and the truth behind them."""

import argparse
import json
import logging
from pathlib import Path

import cv2

from fleeting import tables
from fleeting.logging import run
from fleeting.synthetic.database import TRUTH, write


def main() -> None:
    """Read the command line and write the database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="casme, casme2, cas_me2 or samm")
    parser.add_argument("--settings", required=True, help="the config's synthetic block as JSON")
    parser.add_argument("--table", required=True, type=Path, help="the table to write")
    parser.add_argument("--frames", required=True, type=Path, help="the folder of frames to write")
    parser.add_argument("--truth", required=True, type=Path, help="the truth to write, .tsv")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    truth = write(
        arguments.database, json.loads(arguments.settings), arguments.table, arguments.frames
    )
    tables.write(truth, arguments.truth, TRUTH)
    logging.info("%s: %d rows in the table", arguments.database, len(truth))


if __name__ == "__main__":
    run(main)
