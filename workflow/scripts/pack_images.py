"""Pack the images of a fold's table into one array beside it."""

import argparse
import logging
from pathlib import Path

from fleeting.logging import run
from fleeting.training import packed
from fleeting.training.pack import pack


def main() -> None:
    """Read the command line and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="table of images with hashes")
    parser.add_argument("--results", type=Path, required=True, help="what its paths start from")
    arguments = parser.parse_args()
    pixels = pack(arguments.images, arguments.results)
    packed.write(pixels, arguments.images)
    logging.info("%d images of %d x %d pixels", *pixels.shape[:3])


if __name__ == "__main__":
    run(main)
