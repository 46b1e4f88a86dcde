"""Test one run: predict its test images, once."""

import argparse
from pathlib import Path

import fleeting.startup  # noqa: F401
from fleeting import tables
from fleeting.evaluation.predict import predict
from fleeting.logging import run


def main() -> None:
    """Read the command line, predict and write the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, help="run.json")
    parser.add_argument("--model", type=Path, required=True, help="model.pt")
    parser.add_argument("--images", type=Path, required=True, help="the fold's test.tsv")
    parser.add_argument("--gpu-slots-per-device", type=int, required=True)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--unseen", type=Path, required=True)
    arguments = parser.parse_args()
    found = predict(
        arguments.record, arguments.model, arguments.images, arguments.gpu_slots_per_device
    )
    tables.write_rows(found["test"], arguments.predictions, tables.PREDICTIONS)
    tables.write_rows(found["unseen"], arguments.unseen, tables.PREDICTIONS)


if __name__ == "__main__":
    run(main)
