"""The test step: what a finished model says of images that its training never saw."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation import record
from fleeting.training import devices, images, memory, state, trainer

#: The entries of run.json that a run is tested by.
NEEDED = ("classes", "settings", "repeat", "model", "lr", "precision", "failed")


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
    run = record.read(record_file, NEEDED)
    if run["failed"]:
        logging.warning("not tested, since the run failed: %s", run["failed"])
        return {"test": [], "unseen": []}
    classes, recipe = run["classes"], trainer.Recipe.of(run["settings"])
    trainer.prepare(recipe, run["repeat"])
    place = devices.take(slots_per_device)
    # Not initialised in vain: for the largest networks that takes a second.
    with torch.device("meta"):
        network = registry.load("model", run["model"]).build(len(classes))
    network.to_empty(device="cpu")
    try:
        network.load_state_dict(state.read(model_file))
    except (RuntimeError, UserError) as error:
        raise UserError(
            f"{model_file} cannot be loaded ({error}); delete it and run again"
        ) from None
    parts = images.load(table, ("test",), classes)
    size, precision = parts["test"].pixels.shape[-1], run["precision"]
    found: dict[str, list[dict[str, Any]]] = {"unseen": []}
    fits = partial(memory.explained, run["model"], recipe, size, precision, place.name, False)
    with fits():
        network.to(place.device, memory_format=torch.channels_last)
    for part, loaded in parts.items():
        with fits():
            tested = loaded.to(place.device)
            logits = trainer.predict(network, tested.pixels, recipe.batch_size, precision)
        if not logits.isfinite().all():
            raise UserError(
                f"{model_file}: this model's outputs are no numbers any more: its training "
                f"diverged. Leave the rate {run['lr']} out of the grid, or lower it."
            )
        found[part] = _rows(tested, logits, classes)
    return found


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
