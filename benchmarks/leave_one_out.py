"""Leave one subject out over 442 examples of 28 x 28 x 3: a plain loop over the folds and two jobs.

The examples are synthetic motion pictures in the numbers of the MEGC 2019 composite (68 subjects,
250, 109 and 83 clips of three classes), named by a TSV table that the `table` reader takes: each
row names one ready picture. The same network, folds and epochs run as a plain loop
(`naive_folds.py`), as one job, and shared out over two jobs on two cores. The predictions of the
jobs must agree byte by byte; the plain loop draws other random numbers and has no momentum.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import measure
import numpy as np
import scratch

OUTPUT = Path(__file__).parent / "results" / "leave_one_out.json"
RESULTS = scratch.RESULTS / "leave_one_out"
SUBJECTS, CLIPS, SIDE = 68, 442, 28
CLASSES = {"negative": 250, "positive": 109, "surprise": 83}
LABEL_MAP = {name: [name] for name in CLASSES}
PARTS = (1, 2)


def write_database(folder: Path) -> None:
    """Write the table and the pictures: a class shifts a soft blob, a subject adds a pattern."""
    random = np.random.default_rng(1)
    labels = random.permutation(np.repeat(list(CLASSES), list(CLASSES.values())))
    patterns = random.normal(0, 12, (SUBJECTS, SIDE, SIDE, 3))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    lines = ["subject\tclip\temotion"]
    folder.mkdir(parents=True, exist_ok=True)
    for number, label in enumerate(labels):
        # Every subject has clips, some many more than others, as in the composite.
        subject = number if number < SUBJECTS else int(SUBJECTS * random.beta(1, 2))
        place = 8 + 5 * list(CLASSES).index(label)
        blob = 60 * np.exp(-((rows - place) ** 2 + (columns - 14) ** 2) / 30)
        noise = random.normal(0, 20, (SIDE, SIDE, 3))
        picture = 128 + patterns[subject] + noise + blob[..., None] * random.uniform(0.2, 1)
        lines.append(f"s{subject:02d}\tc{number:03d}\t{label}")
        path = folder / f"s{subject:02d}" / f"c{number:03d}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), picture.clip(0, 255).astype(np.uint8))
    (folder / "clips.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def database_and_input(results: Path) -> dict[str, Any]:
    """All of a config but its experiments, for the database in a results folder."""
    folder = results / "databases"
    return {
        "results": str(results),
        "databases": {
            "composite": {
                "reader": "table",
                "table": str(folder / "clips.tsv"),
                "frames": str(folder),
                "picture": "{subject}/{clip}.png",
            }
        },
        "crops": {"ready": {"frames": "pictures", "detector": "none", "size": None}},
        "inputs": {
            "flow": {
                "kind": "image",
                "crop": "ready",
                "channels": ["horizontal", "vertical", "strain"],
                "zero": 128,
                "unit": 127,
            }
        },
    }


def config(parts: int, epochs: int) -> dict[str, Any]:
    """The config of one variant; both share everything up to the split."""
    optimiser = {"kind": "sgd", "momentum": 0.9}
    experiment = {
        "input": "flow",
        "label_map": LABEL_MAP,
        "protocol": {"kind": "leave_one_out", "group": "subject"},
        "parts": parts,
        "recipe": {"weights": "none", "optimiser": optimiser, "epochs": epochs, "threads": 1},
        "grid": {"models": ["small"], "lrs": ["1e-02"], "repeats": 1},
    }
    return {
        **database_and_input(RESULTS),
        "experiments": {f"parts{parts}": experiment},
        # Where there is a GPU, both parts share it.
        "gpu_slots_per_device": len(PARTS),
    }


def experiment(parts: int) -> Path:
    """The folder of a variant's experiment."""
    return scratch.ROOT / RESULTS / f"experiments/parts{parts}"


def seconds(parts: int, epochs: int) -> float:
    """Seconds of the training, by Snakemake's call; everything above it is there."""
    for left in ("runs", "checkpoints"):
        shutil.rmtree(experiment(parts) / left, ignore_errors=True)
    start = time.perf_counter()
    scratch.snakemake(config(parts, epochs), "training", "--cores", "2", "--resources", "gpu=2")
    return said(f"parts: {parts}", time.perf_counter() - start)


def plain_seconds(epochs: int) -> float:
    """Seconds of the plain loop, from the start of its process."""
    command = [sys.executable, str(scratch.ROOT / "benchmarks/naive_folds.py")]
    command += ["--split", str(experiment(PARTS[0]) / "split.tsv"), "--epochs", str(epochs)]
    command += ["--examples", str(scratch.ROOT / RESULTS / "inputs/flow/composite.tsv")]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return said("plain loop", time.perf_counter() - start)


def said(name: str, seconds: float) -> float:
    """Print the seconds that a variant took, since all of them take long."""
    print(f"{name}: {seconds:.1f} s", flush=True)
    return seconds


def predictions(parts: int) -> list[str]:
    """All lines of a variant's predictions, sorted: the table of a part holds its own folds."""
    folder = experiment(parts) / "runs/small/lr1e-02/repeat1"
    tables = [folder / f"part{part}/predictions.tsv" for part in range(1, parts + 1)]
    lines = [table.read_text(encoding="utf-8").splitlines() for table in tables]
    if any(own[0] != lines[0][0] for own in lines):
        raise RuntimeError(f"the parts in {folder} have tables with different columns")
    return sorted(line for own in lines for line in own[1:])


def main() -> None:
    """Measure the variants in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    shutil.rmtree(scratch.ROOT / RESULTS, ignore_errors=True)
    write_database(scratch.ROOT / RESULTS / "databases")
    for parts in PARTS:
        scratch.snakemake(config(parts, given.epochs), "splits", "--cores", "2")
    variants = {f"parts: {parts}": partial(seconds, parts, given.epochs) for parts in PARTS}
    variants["plain loop"] = partial(plain_seconds, given.epochs)
    taken = measure.alternate(variants, given.rounds)
    one, two = map(predictions, PARTS)
    if len(one) != CLIPS or one != two:
        raise RuntimeError(f"{len(one)} predictions of one job, {len(two)} of two parts: not alike")
    names = ("ratio", "ratio_low", "ratio_high")
    ratios = {
        other: measure.ratio(taken[other], taken["parts: 2"])
        for other in ("plain loop", "parts: 1")
    }
    found = {
        "name": "leave one subject out",
        "clips": CLIPS,
        "folds": SUBJECTS,
        "epochs": given.epochs,
        "seconds": taken,
        "two parts against": {
            other: dict(zip(names, values, strict=True)) for other, values in ratios.items()
        },
    }
    measure.write([found], given.output)
    minutes = " and ".join(
        f"{name}, {statistics.median(values) / 60:.1f} min" for name, values in taken.items()
    )
    for other, (ratio, low, high) in ratios.items():
        print(f"two parts are {ratio:.2f} ({low:.2f} to {high:.2f}) x as fast as the {other}")
    print(f"{minutes}; the predictions of one job and of two are the same bytes")


if __name__ == "__main__":
    main()
