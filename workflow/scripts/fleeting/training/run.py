"""One run of the grid, from its fold's table to its history, record and model."""

import json
import logging
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torchvision

from fleeting import registry, tables
from fleeting.paths import sha256
from fleeting.training import images, weights
from fleeting.training.trainer import Epoch, Recipe, prepare, train


def run(
    table: Path,
    results: Path,
    name: dict[str, Any],
    recipe_block: dict[str, Any],
    weights_record: Path | None,
    weights_file: Path | None,
) -> tuple[list[Epoch], dict[str, Any], dict[str, torch.Tensor]]:
    """Train one run.

    Args:
        table: the fold's training and validation images; test images never come here.
        results: the folder that the table's paths are relative to.
        name: experiment, model, lr, repeat and fold.
        recipe_block: the config's `recipe`.
        weights_record: what the pretrained weights were when fetched; None: from scratch.
        weights_file: the weights' own place; None: torchvision's cache.

    Returns:
        The history, the record of the run (run.json) and the model's state dict.
    """
    recipe = Recipe.of(recipe_block)
    seed, device = prepare(recipe, name["repeat"])
    classes = images.classes_of(table)
    training = images.load(table, "train", classes, results).to(device)
    validation = images.load(table, "validation", classes, results).to(device)
    model = registry.load("model", name["model"])
    network = model.build(len(classes))
    fetched = weights.Weights.read(weights_record) if weights_record else None
    if fetched is not None:
        path = weights_file or weights.cache_folder() / fetched.file
        weights.load(network, model.HEAD, path, fetched)
    network.to(device)
    logging.info(
        "%s: %d training and %d validation images of %d classes on %s",
        " ".join(f"{key} {value}" for key, value in name.items()),
        len(training.names),
        len(validation.names),
        len(classes),
        device_name(device),
    )
    start = time.perf_counter()
    history = train(network, training, validation, float(name["lr"]), recipe, seed, log_epoch)
    seconds = time.perf_counter() - start
    record = {
        **name,
        "classes": classes,
        "settings": {**recipe_block, "precision": "fp32"},
        "seed": seed,
        "tested_epoch": recipe.epochs,
        "train_images": len(training.names),
        "validation_images": len(validation.names),
        "split_sha256": sha256(table),
        "weights": asdict(fetched) if fetched else None,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "deterministic": device.type == "cpu" or recipe.deterministic,
        "versions": versions(),
        "seconds": round(seconds, 3),
        "images_per_second": round(len(training.names) * recipe.epochs / seconds, 3),
    }
    state = {key: value.detach().cpu() for key, value in network.state_dict().items()}
    return history, record, state


def log_epoch(epoch: Epoch) -> None:
    """One progress line."""
    logging.info(
        "epoch %d: train loss %.4f accuracy %.4f, validation loss %.4f accuracy %.4f",
        epoch.epoch,
        epoch.train_loss,
        epoch.train_accuracy,
        epoch.validation_loss,
        epoch.validation_accuracy,
    )


def save(
    history: list[Epoch], record: dict[str, Any], state: dict[str, torch.Tensor], folder: Path
) -> None:
    """Write history.tsv, model.pt and run.json into a run's folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = pd.DataFrame([asdict(epoch) for epoch in history])
    tables.write(rows, folder / "history.tsv", tables.HISTORY)
    unfinished = folder / ".model.pt.unfinished"
    torch.save(state, unfinished)
    unfinished.replace(folder / "model.pt")
    tables.write_text(json.dumps(record, indent=2) + "\n", folder / "run.json")


def device_name(device: torch.device) -> str:
    """The name of a device as its maker gives it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({platform.machine()})"


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "cuda": torch.version.cuda or "",
    }
