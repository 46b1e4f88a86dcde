"""Fetch a face detector's published weights into a folder."""

import argparse
import json
import logging
from pathlib import Path

from fleeting import registry
from fleeting.errors import UserError
from fleeting.faces.fetch import fetch
from fleeting.files import write_text
from fleeting.logging import run
from fleeting.paths import sha256


def main() -> None:
    """Read the command line and fetch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", required=True, help="a name under faces/detectors")
    parser.add_argument("--weights", required=True, type=Path, help="folder for the files")
    parser.add_argument("--record", required=True, type=Path, help="their hashes, written")
    arguments = parser.parse_args()
    source = registry.load("detector", arguments.detector).SOURCE
    if source is None:
        raise UserError(
            f"the detector {arguments.detector} has no weights of its own: set "
            "crops.<name>.detector.weights to your file"
        )
    hashes = {path.name: sha256(path) for path in fetch(source, arguments.weights)}
    for name, digest in hashes.items():
        logging.info("%s: sha256 %s is right", name, digest)
    write_text(json.dumps(hashes, indent=2) + "\n", arguments.record)


if __name__ == "__main__":
    run(main)
