"""One run of the grid, from its fold's table to its history, record and model."""

import json
import logging
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision

from fleeting import registry, tables
from fleeting.paths import sha256
from fleeting.training import devices, images, precision, weights
from fleeting.training.trainer import Epoch, Recipe, prepare, train


def run(
    table: Path,
    name: dict[str, Any],
    recipe_block: dict[str, Any],
    weights_record: Path | None,
    weights_file: Path | None,
    slots_per_device: int = 1,
) -> tuple[list[Epoch], dict[str, Any], dict[str, torch.Tensor]]:
    """Train one run.

    Args:
        table: the fold's training and validation images, packed; test images never come here.
        name: experiment, model, lr, repeat and fold.
        recipe_block: the config's `recipe`.
        weights_record: what the pretrained weights were when fetched; None: from scratch.
        weights_file: the weights' own place; None: torchvision's cache.
        slots_per_device: how many jobs may share a GPU.

    Returns:
        The history, the record of the run (run.json) and the model's state dict.
    """
    recipe = Recipe.of(recipe_block)
    seed = prepare(recipe, name["repeat"])
    place = devices.take(slots_per_device)
    device = place.device
    classes = images.classes_of(table)
    parts = images.load(table, ("train", "validation"), classes)
    training, validation = parts["train"].to(device), parts["validation"].to(device)
    model = registry.load("model", name["model"])
    fetched = weights.Weights.read(weights_record) if weights_record else None
    if fetched is None:
        network = model.build(len(classes))
    else:
        path = weights_file or weights.cache_folder() / fetched.file
        network = weights.built(model, len(classes), path, fetched)
    # Convolutions are faster with the channels last in memory, on the CPU and on tensor cores.
    network.to(device, memory_format=torch.channels_last)
    used = precision.choose(recipe.precision, device, training.pixels.shape[-1])
    logging.info(
        "%s: %d training and %d validation images of %d classes on %s",
        " ".join(f"{key} {value}" for key, value in name.items()),
        len(training.names),
        len(validation.names),
        len(classes),
        f"{place.name}, {used}",
    )
    start = time.perf_counter()
    history = train(network, training, validation, float(name["lr"]), recipe, used, seed, log_epoch)
    seconds = time.perf_counter() - start
    record = {
        **name,
        "classes": classes,
        "settings": recipe_block,
        "precision": used,
        "seed": seed,
        "tested_epoch": recipe.epochs,
        "train_images": len(training.names),
        "validation_images": len(validation.names),
        "split_sha256": sha256(table),
        "weights": asdict(fetched) if fetched else None,
        "device": place.name,
        "threads": torch.get_num_threads(),
        "deterministic": device.type == "cpu" or recipe.deterministic,
        "versions": versions(),
        "seconds": round(seconds, 3),
        "images_per_second": round(len(training.names) * recipe.epochs / seconds, 3),
        "peak_device_bytes": place.peak_bytes,
    }
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
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
    tables.write_rows([asdict(epoch) for epoch in history], folder / "history.tsv", tables.HISTORY)
    unfinished = folder / ".model.pt.unfinished"
    torch.save(state, unfinished)
    unfinished.replace(folder / "model.pt")
    tables.write_text(json.dumps(record, indent=2) + "\n", folder / "run.json")


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "cuda": torch.version.cuda or "",
    }
