"""The paper's whole grid, projected from parts of it that run through Snakemake with slots.

The parts have the paper's models and counts of images, and two numbers of epochs: what the longer
takes more is for its epochs, and the rest (start-ups, recorded steps, tests, Snakemake itself) is
there once a run. With the paper's own hundred epochs nothing is left to project but the runs.
"""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure
import scratch

OUTPUT = Path(__file__).parent / "results" / "grid.json"
MODELS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
#: The paper: five models, three rates, ten repeats.
RUNS = 150
#: Of each run, in the paper.
EPOCHS = 100


def part(config: dict[str, Any], targets: Sequence[str], folder: Path, slots: int) -> float:
    """Seconds of a call of Snakemake that trains and tests the targets' runs from nothing."""
    for left in ("runs", "checkpoints"):
        shutil.rmtree(scratch.ROOT / folder / left, ignore_errors=True)
    start = time.perf_counter()
    scratch.snakemake(config, *targets, "--cores", "all", "--resources", f"gpu={slots}")
    return time.perf_counter() - start


def whole(seconds: dict[int, float], epochs: int) -> float:
    """The seconds of so many epochs, from those of two numbers of epochs (or of these alone)."""
    (few, short), (many, long) = min(seconds.items()), max(seconds.items())
    if many > few and long <= short:
        raise RuntimeError(f"{many} epochs took no longer than {few}: take more runs or epochs")
    return long if many == few else long + (epochs - many) * (long - short) / (many - few)


def main() -> None:
    """Run the parts and project the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--slots", type=int, default=4, help="jobs that share a device")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--epochs", type=int, nargs="+", default=[10, 30], help="two, or 100")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images-per-class", type=int, default=120, help="of five classes")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    if len(set(arguments.epochs)) != 2 and arguments.epochs != [EPOCHS]:
        parser.error(f"--epochs: two numbers, or {EPOCHS}")

    def config(epochs: int) -> dict[str, Any]:
        recipe = {
            "weights": "none",
            "epochs": epochs,
            "precision": arguments.precision,
            "threads": arguments.threads,
        }
        grid = {"models": arguments.models, "lrs": ["1e-04"], "repeats": arguments.repeats}
        # In the folder of training.py: where it ran before with as many images, they are there.
        block = scratch.config(
            "training", [arguments.size], arguments.images_per_class, recipe=recipe, grid=grid
        )
        return block | {"gpu_slots_per_device": arguments.slots}

    experiment = scratch.RESULTS / "training" / "experiments" / f"size{arguments.size}"
    scratch.snakemake(config(EPOCHS), str(experiment / "split.json"), "--cores", "all")
    folders = [
        experiment / f"runs/{model}/lr1e-04/repeat{repeat}/part1"
        for model in arguments.models
        for repeat in range(1, arguments.repeats + 1)
    ]
    targets = [str(folder / "predictions.tsv") for folder in folders]
    slots = arguments.slots * arguments.devices
    taken: dict[int, float] = {}
    records: list[dict[str, Any]] = []
    # The longer first: what only the first has to read counts as its epochs, not against them.
    for epochs in sorted(arguments.epochs, reverse=True):
        taken[epochs] = part(config(epochs), targets, experiment, slots)
        records = records or [
            json.loads((scratch.ROOT / folder / "run.json").read_text()) for folder in folders
        ]
    all_runs = RUNS * len(arguments.models) // len(MODELS)
    found = {
        "name": "grid",
        "models": arguments.models,
        "runs": len(folders),
        "seconds_by_epochs": {str(epochs): round(value, 1) for epochs, value in taken.items()},
        "projected_runs": all_runs,
        "projected_minutes": round(whole(taken, EPOCHS) * all_runs / len(folders) / 60, 1),
        "slots": arguments.slots,
        "devices": arguments.devices,
        "device": records[0]["device"],
        "precision": arguments.precision,
        "precision_used": records[0]["precision"],
        "train_images": records[0]["train_examples"]["1"],
        # Of the longer runs, the predictions of their test images included.
        "seconds_in_training_loops": {
            model: round(sum(run["seconds"] for run in records if run["model"] == model), 1)
            for model in arguments.models
        },
    }
    measure.write([found], arguments.output)
    parts = " and ".join(f"{value:.0f} s for {epochs} epochs" for epochs, value in taken.items())
    print(
        f"{found['runs']} runs with {arguments.slots} slots on {found['device']}, "
        f"{found['precision_used']}: {parts}; {all_runs} runs of {EPOCHS} epochs would take "
        f"{found['projected_minutes']} minutes"
    )


if __name__ == "__main__":
    main()
