"""Crop the faces of one subject's frames."""

import argparse
import os
from pathlib import Path

# numpy starts threads for its algebra that burn time while they wait, and nothing here uses them.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from fleeting.errors import UserError
from fleeting.faces.crop import Job
from fleeting.faces.crop import run as crop
from fleeting.faces.settings import parse
from fleeting.logging import run


def main() -> None:
    """Read the command line and crop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path, help="the results folder")
    parser.add_argument("--crop", required=True, help="the name of the block under crops:")
    parser.add_argument("--database", required=True)
    parser.add_argument("--subject", required=True)
    parser.add_argument("--frames-table", required=True, type=Path, help="the subject's frames")
    parser.add_argument("--frames", required=True, type=Path, help="folder that they lie in")
    parser.add_argument("--source", required=True, choices=("raw", "cropped"))
    parser.add_argument("--settings", required=True, help="the block under crops:, as JSON")
    parser.add_argument("--weights", type=Path, help="the detector's file or folder")
    parser.add_argument("--faces", required=True, type=Path, help="table of the crops, written")
    parser.add_argument("--excluded", required=True, type=Path, help="table of the rest, written")
    parser.add_argument("--crops", required=True, type=Path, help="folder of the crops, replaced")
    arguments = parser.parse_args()
    folder = arguments.results.joinpath(
        "faces", arguments.crop, arguments.database, arguments.subject
    )
    if arguments.crops.absolute() != folder.absolute():
        raise UserError(f"--crops {arguments.crops}: the folder of this job is {folder}")
    job = Job(
        crop=arguments.crop,
        database=arguments.database,
        subject=arguments.subject,
        root=arguments.frames,
        folder=folder,
        source=arguments.source,
        settings=parse(arguments.settings, arguments.crop),
        weights=arguments.weights,
    )
    crop(job, arguments.frames_table, arguments.faces, arguments.excluded)


if __name__ == "__main__":
    run(main)
