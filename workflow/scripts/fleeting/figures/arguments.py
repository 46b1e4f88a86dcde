"""What every figure's command line shares."""

import argparse
from collections.abc import Collection
from pathlib import Path


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the results folder, the experiment and the two files to write."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--svg", type=Path, required=True)
    parser.add_argument("--png", type=Path, required=True)
    return parser


def names(text: str) -> Collection[str]:
    """Names with commas between; an empty text has none."""
    return [name for name in text.split(",") if name]
