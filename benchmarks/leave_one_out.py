"""Leave one subject out over 442 examples of 28 x 28 x 3: one job against two parts of it.

The examples are synthetic motion pictures in the numbers of the MEGC 2019 composite (68 subjects,
250, 109 and 83 clips of three classes), named by a TSV table that the `table` reader takes: each
row names one ready picture. The same network, recipe and folds run once as one job and once shared
out over two jobs on two cores; predictions must agree byte by byte.
"""

import argparse
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import measure
import numpy as np
import scratch

OUTPUT = Path(__file__).parent / "results" / "leave_one_out.json"
FOLDER = scratch.RESULTS / "leave_one_out"
SUBJECTS, CLIPS, SIDE = 68, 442, 28
CLASSES = {"negative": 250, "positive": 109, "surprise": 83}


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


def config(parts: int, epochs: int) -> dict[str, Any]:
    """The config of one variant; both share everything up to the split."""
    folder = FOLDER / "databases" / "composite"
    grid = {"models": ["small"], "lrs": ["1e-02"], "repeats": 1}
    recipe = {"weights": "none", "epochs": epochs, "threads": 1, "optimiser": {"kind": "sgd"}}
    recipe["optimiser"] |= {"momentum": 0.9}
    return {
        "results": str(FOLDER),
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
        "experiments": {
            f"parts{parts}": {
                "input": "flow",
                "label_map": {name: [name] for name in CLASSES},
                "protocol": {"kind": "leave_one_out", "group": "subject"},
                "parts": parts,
                "recipe": recipe,
                "grid": grid,
            }
        },
    }


def runs(parts: int) -> Path:
    """The folder of an experiment's only run."""
    return scratch.ROOT / FOLDER / f"experiments/parts{parts}/runs/small/lr1e-02/repeat1"


def seconds(parts: int, epochs: int) -> float:
    """Seconds of the training, by Snakemake's call; everything above it is there."""
    block = config(parts, epochs)
    shutil.rmtree(runs(parts), ignore_errors=True)
    start = time.perf_counter()
    scratch.snakemake(block, "training", "--cores", "2", "--resources", "gpu=2")
    return time.perf_counter() - start


def predictions(parts: int) -> list[str]:
    """All lines of an experiment's predictions, by fold."""
    lines = []
    for part in range(1, parts + 1):
        text = (runs(parts) / f"part{part}/predictions.tsv").read_text(encoding="utf-8")
        lines += text.splitlines()[1:]
    return sorted(lines)


def main() -> None:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    write_database(scratch.ROOT / FOLDER / "databases" / "composite")
    for parts in (1, 2):
        scratch.snakemake(config(parts, given.epochs), "splits", "--cores", "2")
    variants = {f"parts: {parts}": partial(seconds, parts, given.epochs) for parts in (1, 2)}
    taken = measure.alternate(variants, given.rounds)
    if predictions(1) != predictions(2):
        raise RuntimeError("the predictions of one job and of two parts differ")
    faster = measure.ratio(taken["parts: 1"], taken["parts: 2"])
    names = ("ratio", "ratio_low", "ratio_high")
    found = {
        "name": "leave one subject out",
        "clips": CLIPS,
        "folds": SUBJECTS,
        "epochs": given.epochs,
        "seconds": taken,
        **dict(zip(names, faster, strict=True)),
    }
    measure.write([found], given.output)
    print(f"two parts: {faster[0]:.2f} ({faster[1]:.2f} to {faster[2]:.2f}) x one; same bytes")


if __name__ == "__main__":
    main()
