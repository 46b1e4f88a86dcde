"""Fetch or find one model's pretrained weights, check that they fit and record what they are."""

import argparse
from pathlib import Path

from fleeting import registry
from fleeting.logging import run
from fleeting.training import weights


def main() -> None:
    """Read the command line and record the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--file", type=Path, help="the user's own file instead of ImageNet's")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    model = registry.load("model", arguments.model)
    if arguments.file:
        path = arguments.file
        found = weights.identify(path)
    else:
        found = weights.fetch_imagenet(model)
        path = weights.cache_folder() / found.file
    # Now, not hours later in the first run.
    weights.check(model, path, found)
    found.save(arguments.output)


if __name__ == "__main__":
    run(main)
