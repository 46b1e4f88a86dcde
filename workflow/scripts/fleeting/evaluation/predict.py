"""The test step: what a finished model says of images that its training never saw."""

import json
import logging
from pathlib import Path
from typing import Any

import torch

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training import devices, images, memory, state, trainer


def predict(
    record_file: Path, model_file: Path, table: Path, slots_per_device: int = 1
) -> dict[str, list[dict[str, Any]]]:
    """Predict the test images of a run's fold, and the apex frames of its unseen subjects.

    Args:
        record_file: the run's run.json.
        model_file: its model.pt, loaded with `weights_only=True`.
        table: the fold's table of test images, packed.
        slots_per_device: how many jobs may share a GPU.

    Returns:
        Rows of predictions (image, label, predicted and a probability a class) for `test` and for
        `unseen`, which has none where no subject is kept unseen. A run that failed has none at all.
    """
    record = _record(record_file)
    if record["failed"]:
        logging.warning("not tested, since the run failed: %s", record["failed"])
        return {"test": [], "unseen": []}
    classes, recipe = record["classes"], trainer.Recipe.of(record["settings"])
    trainer.prepare(recipe, record["repeat"])
    place = devices.take(slots_per_device)
    network = registry.load("model", record["model"]).build(len(classes))
    try:
        network.load_state_dict(state.read(model_file))
    except (RuntimeError, UserError) as error:
        raise UserError(
            f"{model_file} cannot be loaded ({error}); delete it and run again"
        ) from None
    network.to(place.device, memory_format=torch.channels_last)
    parts = images.load(table, ("test",), classes)
    found: dict[str, list[dict[str, Any]]] = {"unseen": []}
    for part, loaded in parts.items():
        size = loaded.pixels.shape[-1]
        with memory.explained(record["model"], recipe, size, record["precision"], place.name):
            tested = loaded.to(place.device)
            logits = trainer.predict(network, tested.pixels, recipe.batch_size, record["precision"])
        if not logits.isfinite().all():
            raise UserError(
                f"{model_file}: this model's outputs are no numbers any more: its training "
                f"diverged. Leave the rate {record['lr']} out of the grid, or lower it."
            )
        found[part] = _rows(tested, logits, classes)
    return found


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: not a whole record of a run ({error}); delete it and run again"
        ) from None
    needed = ("classes", "settings", "repeat", "model", "lr", "precision", "failed")
    if not isinstance(record, dict) or any(key not in record for key in needed):
        raise UserError(f"{path}: not a record of a run; delete it and run again")
    return record


def _rows(tested: images.Images, logits: torch.Tensor, classes: list[str]) -> list[dict[str, Any]]:
    columns = [f"p_{label}" for label in classes]
    probabilities = logits.softmax(1).double().cpu()
    return [
        {
            "image": image,
            "label": classes[label],
            "predicted": classes[predicted],
            **dict(zip(columns, shares, strict=True)),
        }
        for image, label, predicted, shares in zip(
            tested.names,
            tested.labels.tolist(),
            probabilities.argmax(1).tolist(),
            probabilities.tolist(),
            strict=True,
        )
    ]
