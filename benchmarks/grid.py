"""The paper's whole grid, projected from a part of it that runs through Snakemake with slots.

The part has all five models with the paper's counts of images and epochs; start-ups, tests and
Snakemake itself are in its time.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

import measure
import scratch

OUTPUT = Path(__file__).parent / "results" / "grid.json"
MODELS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
#: The paper: five models, three rates, ten repeats.
RUNS = 150


def main() -> None:
    """Run a part of the grid and project the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=4, help="jobs that share a device")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images-per-class", type=int, default=120, help="of five classes")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    recipe = {
        "weights": "none",
        "epochs": arguments.epochs,
        "precision": arguments.precision,
        "threads": arguments.threads,
    }
    grid = {"models": MODELS, "lrs": ["1e-04"], "repeats": arguments.repeats}
    # In the folder of training.py: where it ran before with as many images, they are there.
    config = scratch.config(
        "training", [arguments.size], arguments.images_per_class, recipe=recipe, grid=grid
    ) | {"gpu_slots_per_device": arguments.slots}
    experiment = scratch.RESULTS / "training" / "experiments" / f"size{arguments.size}"
    packed = [str(experiment / f"folds/1/{part}.json") for part in ("training", "test")]
    scratch.snakemake(config, *packed, "--cores", "all")
    for left in ("runs", "checkpoints"):
        shutil.rmtree(scratch.ROOT / experiment / left, ignore_errors=True)

    folders = [
        experiment / f"runs/{model}/lr1e-04/repeat{repeat}/fold1"
        for model in MODELS
        for repeat in range(1, arguments.repeats + 1)
    ]
    targets = [str(folder / "predictions.tsv") for folder in folders]
    slots = arguments.slots * arguments.devices
    start = time.perf_counter()
    scratch.snakemake(config, *targets, "--cores", "all", "--resources", f"gpu={slots}")
    taken = time.perf_counter() - start
    records = [json.loads((scratch.ROOT / folder / "run.json").read_text()) for folder in folders]
    found = {
        "name": "grid",
        "runs": len(folders),
        "seconds": round(taken, 1),
        "projected_runs": RUNS,
        "projected_minutes": round(taken * RUNS / len(folders) / 60, 1),
        "slots": arguments.slots,
        "devices": arguments.devices,
        "device": records[0]["device"],
        "precision": arguments.precision,
        "precision_used": records[0]["precision"],
        "epochs": arguments.epochs,
        "train_images": records[0]["train_images"],
        "seconds_in_training_loops": {
            model: round(sum(run["seconds"] for run in records if run["model"] == model), 1)
            for model in MODELS
        },
    }
    measure.write([found], arguments.output)
    print(
        f"{found['runs']} runs in {taken:.0f} s with {arguments.slots} slots on "
        f"{found['device']}, {found['precision_used']}: "
        f"all {RUNS} in {found['projected_minutes']} minutes"
    )


if __name__ == "__main__":
    main()
