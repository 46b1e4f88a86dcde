"""Train one (experiment, model, lr, repeat, fold) of the grid."""

import argparse
import json
import logging
import sys
from pathlib import Path

import fleeting.startup  # noqa: F401
from fleeting.logging import run as run_script
from fleeting.training.interruption import STATUS
from fleeting.training.run import Run, run
from fleeting.training.trainer import Stopped


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="the fold's training.tsv")
    parser.add_argument("--experiment", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--lr", required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--fold", required=True)
    parser.add_argument("--recipe", type=json.loads, required=True, help="JSON")
    parser.add_argument("--weights", type=Path, help="record of the pretrained weights")
    parser.add_argument("--weights-file", type=Path, help="if not in torchvision's cache")
    parser.add_argument("--gpu-slots-per-device", type=int, required=True)
    parser.add_argument("--checkpoint-every-minutes", type=int, required=True)
    parser.add_argument("--allow-missing", choices=("True", "False"), required=True)
    parser.add_argument("--checkpoints", type=Path, required=True, help="the run's own folder")
    parser.add_argument("--output", type=Path, required=True, help="the run's folder")
    arguments = parser.parse_args()
    name = {key: getattr(arguments, key) for key in ("experiment", "model", "lr", "repeat", "fold")}
    wanted = Run(
        arguments.images,
        name,
        arguments.recipe,
        arguments.weights,
        arguments.weights_file,
        arguments.output,
        arguments.checkpoints,
    )
    try:
        run(
            wanted,
            arguments.gpu_slots_per_device,
            arguments.checkpoint_every_minutes,
            arguments.allow_missing == "True",
        )
    except Stopped:
        logging.info("asked to stop: the state is saved, and the next try goes on from it")
        sys.exit(STATUS)


if __name__ == "__main__":
    run_script(main)
