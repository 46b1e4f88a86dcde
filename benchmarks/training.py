"""The naive loop against this project's training job: same model, images, batch size and epochs.

Both train, validate after every epoch, predict the test images once and save the model.

Every round runs each of them once, a process of its own each time, in alternating order; a ratio is
taken within a round. `results/latest.json` has the measurements, `latest.md` and `latest.png` show
them.
"""

import argparse
import json
import math
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import hardware
import measure
import scratch
import show

OUTPUT = Path(__file__).parent / "results"
LR = "1e-03"
#: The parts of a fold.
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Case:
    """What both sides train."""

    model: str
    size: int
    batch_size: int
    epochs: int
    threads: int


@dataclass
class Side:
    """What the processes of one side reported, a round after the other."""

    rates: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    host_bytes: list[int] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)

    def add(self, said: dict[str, Any], process: dict[str, Any]) -> float:
        """Note what a process said and what was measured of it; returns its loop's seconds."""
        self.last = said
        self.rates.append(said["images_per_second"])
        self.outside.append(process["seconds"] - said["seconds"])
        self.host_bytes.append(process["peak_bytes"])
        return float(said["seconds"])


def naive(case: Case, folder: Path, precision: str, workers: int, side: Side) -> float:
    """Seconds of the naive loop, in float32 or in PyTorch's default on a GPU, which is TF32."""
    script = Path(__file__).parent / "naive.py"
    command = [sys.executable, script, "--folder", folder / "images" / "fold1"]
    command += ["--model", case.model, "--batch-size", str(case.batch_size)]
    command += ["--epochs", str(case.epochs), "--workers", str(workers)]
    command += ["--threads", str(case.threads), "--precision", precision]
    command += ["--output", folder / "naive.pt"]
    log = folder / "naive.log"
    done = measure.watch(command, scratch.ROOT, log)
    return side.add(json.loads(log.read_text().splitlines()[-1]), done)


def job(case: Case, folder: Path, precision: str) -> list[str | Path]:
    """The command of a training job, as the workflow starts it."""
    # The optimiser is the default, SGD without momentum, as the naive loop's.
    recipe = {
        "weights": "none",
        "batch_size": case.batch_size,
        "epochs": case.epochs,
        "precision": precision,
        "threads": case.threads,
    }
    run = folder / "run"
    command: list[str | Path] = [sys.executable, scratch.JOB, "training.run"]
    command += ["--gate", folder / "split.json", "--split", folder / "split.tsv"]
    command += ["--folds", folder / "folds.tsv", "--examples", scratch.examples(folder)]
    command += ["--experiment", "benchmark", "--model", case.model]
    command += ["--network", case.model, "--lr", LR]
    command += ["--repeat", "1", "--part", "1", "--parts", "1", "--recipe", json.dumps(recipe)]
    command += ["--gpu-slots-per-device", "1", "--checkpoint-every-minutes", "5"]
    command += ["--allow-missing", "False", "--keep-models", "True"]
    command += ["--checkpoints", folder / "checkpoints", "--history", run / "history.tsv"]
    command += ["--predictions", run / "predictions.tsv", "--metadata", run / "run.json"]
    return [*command, "--models", run / "models"]


def trainer(case: Case, folder: Path, precision: str, side: Side) -> float:
    """Seconds of this project's training loop."""
    # An interrupted job would be resumed.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    done = measure.watch(job(case, folder, precision), scratch.ROOT, folder / "trainer.log")
    record = json.loads((folder / "run" / "run.json").read_text())
    # Of the split's only fold.
    images = {f"{part}_images": record[f"{part}_examples"]["1"] for part in PARTS}
    return side.add(record | images, done)


def compare(
    case: Case,
    folder: Path,
    precisions: Sequence[str],
    rounds: int,
    workers: Sequence[int],
    limit: float = math.inf,
) -> list[dict[str, Any]]:
    """Measure a case; one measurement a precision. What `auto` shares with another runs once.

    The naive loop runs with each of the numbers of `workers`, and the faster one counts.
    """
    used = {name: hardware.precision_used(name, case.size) for name in precisions}
    # Like precision against like; what is faster than that, against PyTorch's default.
    against = {name: hardware.naive_precision(used[name]) for name in precisions}
    loops = {
        f"naive {name}, {count} workers": (name, count)
        for name in sorted(set(against.values()))
        for count in workers
    }
    own = sorted(set(used.values()))
    sides = {name: Side() for name in (*loops, *own)}
    seconds = measure.alternate(
        {
            **{
                loop: partial(naive, case, folder, name, count, sides[loop])
                for loop, (name, count) in loops.items()
            },
            **{name: partial(trainer, case, folder, name, sides[name]) for name in own},
        },
        rounds,
        limit,
    )
    found = []
    for name in precisions:
        alike = [loop for loop, (precision, _) in loops.items() if precision == against[name]]
        loop = min(alike, key=lambda loop: statistics.median(seconds[loop]))
        side, reference = sides[used[name]], sides[loop]
        middle, low, high = measure.ratio(seconds[loop], seconds[used[name]])
        found.append(
            {
                "model": case.model,
                "size": case.size,
                "batch_size": case.batch_size,
                "precision": name,
                "precision_used": side.last["precision"],
                "naive_precision": against[name],
                "device": side.last["device"],
                "naive_images_per_second": round(statistics.median(reference.rates), 2),
                "images_per_second": round(statistics.median(side.rates), 2),
                "ratio": round(middle, 3),
                "ratio_low": round(low, 3),
                "ratio_high": round(high, 3),
                "rounds": len(seconds[loop]),
                "epochs": case.epochs,
                **{f"{part}_images": side.last[f"{part}_images"] for part in PARTS},
                "threads": case.threads,
                "naive_workers": loops[loop][1],
                "seconds_outside_loop": round(statistics.median(side.outside), 2),
                "naive_seconds_outside_loop": round(statistics.median(reference.outside), 2),
                "naive_peak_host_bytes": max(reference.host_bytes),
                "peak_host_bytes": max(side.host_bytes),
                "naive_peak_device_bytes": reference.last["peak_device_bytes"],
                "peak_device_bytes": side.last["peak_device_bytes"],
            }
        )
        print(line(found[-1]), flush=True)
    return found


def line(row: dict[str, Any]) -> str:
    """One measurement for the terminal."""
    return (
        f"{row['model']} {row['size']} px, batch {row['batch_size']}, {row['precision']} "
        f"({row['precision_used']}): {row['ratio']:.2f} x the naive loop "
        f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f}), "
        f"{row['seconds_outside_loop']:.1f} s outside the loop"
    )


def main() -> None:
    """Measure, write the results and show them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two models at 224 px")
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--batch-sizes", nargs="+", type=int)
    parser.add_argument(
        "--precisions", nargs="+", help="fp32, auto and, on a GPU or a CPU for it, bf16"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--images-per-class", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", nargs="+", type=int, help="of the naive loop, to choose from")
    parser.add_argument(
        "--limit", type=float, default=math.inf, help="seconds a case: fewer rounds if need be"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT / "latest.json")
    arguments = parser.parse_args()
    some = ["resnet18", "resnet50"]
    every = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    models = arguments.models or (some if arguments.quick else every)
    sizes = arguments.sizes or ([224] if arguments.quick else [224, 128, 96, 64])
    batch_sizes = arguments.batch_sizes or ([16] if arguments.quick else [16, 32])
    # Whatever `auto` makes of an image size, its rule is measured again.
    fast = ["bf16"] if hardware.multiplies_bfloat16() else []
    precisions = arguments.precisions or ["fp32", *fast, "auto"]
    folders = scratch.prepare("training", sizes, arguments.images_per_class)

    workers = arguments.workers or ([0, 8] if hardware.has_gpu() else [0, 2])
    found = []
    for size, folder in folders.items():
        for batch_size in batch_sizes:
            for model in models:
                # The largest networks at the paper's own size alone.
                if model in some or (size, batch_size) == (sizes[0], batch_sizes[0]):
                    case = Case(model, size, batch_size, arguments.epochs, arguments.threads)
                    measured = compare(
                        case, folder, precisions, arguments.rounds, workers, arguments.limit
                    )
                    found += [hardware.with_shares(row) for row in measured]
                    measure.write(found, arguments.output)
                    show.write(arguments.output)


if __name__ == "__main__":
    main()
