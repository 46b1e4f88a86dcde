"""Fetch or find one model's pretrained weights and record what they are."""

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
    if arguments.file:
        found = weights.identify(arguments.file)
    else:
        found = weights.fetch_imagenet(registry.load("model", arguments.model))
    found.save(arguments.output)


if __name__ == "__main__":
    run(main)
