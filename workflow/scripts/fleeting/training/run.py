"""One run of the grid, from its fold's table to its history, record and model."""

import json
import logging
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torchvision

from fleeting import registry, tables
from fleeting.files import remove_unfinished, write_bytes, write_text
from fleeting.paths import sha256
from fleeting.training import checkpoint, devices, images, memory, packed, precision, weights
from fleeting.training.interruption import listening
from fleeting.training.keeper import Keeper, resume
from fleeting.training.state import as_bytes
from fleeting.training.trainer import Epoch, Recipe, failure, prepare, train
from fleeting.training.weights import Weights


@dataclass(frozen=True)
class Run:
    """What one run is trained from, and where it writes.

    Attributes:
        table: the fold's training and validation images, packed; test images never come here.
        name: experiment, model, lr, repeat and fold.
        recipe: the config's `recipe`.
        weights_record: what the pretrained weights were when fetched; None: from scratch.
        weights_file: the weights' own place; None: torchvision's cache.
        output: the run's folder, for history.tsv, model.pt and run.json.
        checkpoints: a folder for the run's checkpoints alone.
    """

    table: Path
    name: Mapping[str, Any]
    recipe: Mapping[str, Any]
    weights_record: Path | None
    weights_file: Path | None
    output: Path
    checkpoints: Path


def run(
    run: Run,
    slots_per_device: int = 1,
    checkpoint_every_minutes: float = 0,
    allow_missing: bool = False,
) -> None:
    """Train a run, or what a former process left to do, write its files and drop its checkpoints.

    A run whose loss is no finite number any more ends there: its record says `failed`.

    Args:
        run: what to train.
        slots_per_device: how many jobs may share a GPU.
        checkpoint_every_minutes: the state is saved after an epoch if so many minutes have passed
            since the last time.
        allow_missing: whether a run that does not fit into the device's memory is recorded as
            failed too, with no epoch and no model, so that the others can be evaluated. One that
            has a checkpoint did fit once, and is not given up.

    Raises:
        Stopped: this process was asked to stop; another one can go on.
        OutOfMemory: unless it is recorded.
        UserError: an input is missing, changed or torn.
    """
    recipe = Recipe.of(run.recipe)
    seed = prepare(recipe, run.name["repeat"])
    # Before the key, which is of all code in use.
    model = registry.load("model", run.name["model"])
    fetched = Weights.read(run.weights_record) if run.weights_record else None
    facts = {
        **run.name,
        "settings": dict(run.recipe),
        "seed": seed,
        "split_sha256": sha256(run.table),
        "pixels_sha256": packed.digest(run.table),
        "weights": asdict(fetched) if fetched else None,
        "versions": versions(),
    }
    key = checkpoint.key({**facts, "device": devices.kind()})
    with checkpoint.of_run(run.checkpoints, key) as kept:
        if kept.waited and _finished(run.output, key):
            logging.info("the run is finished")
            return
        # Whoever still waits for a device may be ended by any signal: nothing is lost.
        place = devices.take(slots_per_device)
        with listening() as requests:
            classes = images.classes_of(run.table)
            parts = images.load(run.table, ("train", "validation"), classes)
            counts = {f"{part}_images": len(loaded.names) for part, loaded in parts.items()}
            size = parts["train"].pixels.shape[-1]
            used = precision.choose(recipe.precision, place.device, size)
            network = _network(model, len(classes), fetched, run.weights_file)
            logging.info(
                "%s: %s of %d classes on %s, %s",
                " ".join(f"{key} {value}" for key, value in run.name.items()),
                ", ".join(f"{count} {part}" for part, count in counts.items()),
                len(classes),
                place.name,
                used,
            )
            state, past = resume(kept, place.name, used)
            keeper = Keeper(kept, 60 * checkpoint_every_minutes, requests, past)
            history: list[Epoch] = []
            failed = None
            try:
                with memory.explained(run.name["model"], recipe, size, used, place.name):
                    # Convolutions are faster with the channels last, on the CPU and on tensor
                    # cores.
                    network.to(place.device).to(memory_format=torch.channels_last)
                    learned, looked_at = (
                        parts[part].to(place.device) for part in ("train", "validation")
                    )
                    task = (network, learned, looked_at, float(run.name["lr"]), recipe, used, seed)
                    keeper.begin()
                    history = train(*task, log_epoch, keeper, state)
                failed = failure(history)
            except memory.OutOfMemory as error:
                if not allow_missing or kept.load():
                    raise
                logging.info("%s", error)
                logging.info("to have it tried again, delete %s", run.output / "run.json")
                failed = error.what
            record = {**facts, **counts, "classes": classes, "precision": used}
            record |= _outcome(failed, history, recipe, place, keeper, len(parts["train"].names))
            state_dict = network.state_dict() if history else {}
            save(history, {**record, "key": key}, state_dict, run.output)
            if history:
                kept.clear()


def _outcome(
    failed: str | None,
    history: list[Epoch],
    recipe: Recipe,
    place: devices.Place,
    keeper: Keeper,
    train_images: int,
) -> dict[str, Any]:
    """What a run's record says of how it went."""
    seconds = keeper.seconds
    if failed:
        logging.warning("the run failed: %s", failed)
    # Without the part of an epoch that was lost between a checkpoint and the end of a process.
    trained = train_images * len(history)
    return {
        "tested_epoch": None if failed else recipe.epochs,
        "failed": failed,
        "device": ", ".join(keeper.past.devices),
        "threads": torch.get_num_threads(),
        "deterministic": place.device.type == "cpu" or recipe.deterministic,
        "seconds": round(seconds, 3),
        "images_per_second": round(trained / seconds, 3),
        "peak_device_bytes": place.peak_bytes,
        "resumed_from_epochs": keeper.past.resumed_from_epochs,
    }


def _network(
    model: ModuleType, classes: int, fetched: Weights | None, file: Path | None
) -> torch.nn.Module:
    if fetched is None:
        network: torch.nn.Module = model.build(classes)
        return network
    return weights.built(model, classes, file or weights.cache_folder() / fetched.file, fetched)


def _finished(output: Path, key: str) -> bool:
    """Whether a run's folder holds the results of this very run."""
    try:
        if not all((output / name).is_file() for name in ("history.tsv", "model.pt")):
            return False
        return bool(json.loads((output / "run.json").read_text(encoding="utf-8"))["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


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
    history: list[Epoch],
    record: dict[str, Any],
    state_dict: Mapping[str, torch.Tensor],
    folder: Path,
) -> None:
    """Write history.tsv, model.pt and then run.json into a run's folder, each whole or not at all.

    The model is the network's state dict, on the CPU.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in state_dict.items()}
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    tables.write_rows([asdict(epoch) for epoch in history], folder / "history.tsv", tables.HISTORY)
    write_bytes(as_bytes(state), folder / "model.pt")
    write_text(json.dumps(record, indent=2) + "\n", folder / "run.json")


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
        "cuda": torch.version.cuda or "",
    }
