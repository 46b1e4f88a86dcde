"""Runs of seconds on pictures of 32 pixels."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from fleeting import tables
from fleeting.paths import sha256
from fleeting.training import checkpoint, packed
from fleeting.training.pack import pack
from fleeting.training.run import Run, run

RECIPE: dict[str, Any] = {
    "weights": "none",
    "momentum": 0.0,
    "weight_decay": 0.0,
    "batch_size": 4,
    "accumulation": 1,
    "epochs": 2,
    "seed": 1,
    "precision": "fp32",
    "threads": 1,
    "deterministic": True,
}
NAME = {"experiment": "e", "model": "resnet18", "lr": "1e-02", "repeat": 1, "fold": "1"}


class Interrupting:
    """A keeper that stops before a given step, once, and keeps the state as a file would."""

    def __init__(self, at: int, folder: Path) -> None:
        self.left = at
        self.checkpoints = checkpoint.Checkpoints(folder, "0" * 64, False)

    def stop(self) -> bool:
        self.left -= 1
        return self.left == -1

    def due(self) -> bool:
        return False

    def save(self, state: dict[str, Any]) -> None:
        self.checkpoints.save(state)


def small_split(folder: Path) -> None:
    """Crops of two classes, dark and bright, in a training and a test table, packed."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(22):
        label = ["dark", "bright"][number % 2]
        split = ["train", "train", "validation", "test"][number // 2 % 4]
        path = folder / "faces" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        level = 40 if label == "dark" else 200
        cv2.imwrite(str(path), random.integers(level, level + 40, (32, 32, 3), dtype=np.uint8))
        rows.append([f"image{number}", label, split, f"faces/{number}.png", sha256(path)])
    table = pd.DataFrame(rows, columns=list(tables.IMAGES))
    tested = table["split"] == "test"
    for part, chosen in (("training", table[~tested]), ("test", table[tested])):
        tables.write(chosen, folder / f"{part}.tsv", tables.IMAGES)
        packed.write(pack(folder / f"{part}.tsv", folder), folder / f"{part}.tsv")


def small_network(classes: int) -> torch.nn.Module:
    """In the place of a ResNet where the network itself does not matter: its files are small."""
    body = [torch.nn.Conv2d(3, 8, 5, 4), torch.nn.BatchNorm2d(8), torch.nn.ReLU()]
    body += [torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten()]
    layers = {"body": torch.nn.Sequential(*body), "fc": torch.nn.Linear(32, classes)}
    return torch.nn.Sequential(OrderedDict(layers))


def small_run(
    results: Path,
    name: dict[str, Any] = NAME,
    recipe: dict[str, Any] = RECIPE,
    output: str = "run",
    allow_missing: bool = False,
) -> Path:
    """Train a run on the pictures of `small_split`, from scratch; returns its folder."""
    folder = results / output
    checkpoints = results / f"{output}_checkpoints"
    wanted = Run(results / "training.tsv", name, recipe, None, None, folder, checkpoints)
    run(wanted, allow_missing=allow_missing)
    return folder
