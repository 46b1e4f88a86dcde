"""Runs that nobody trained: files as the training and test steps leave them, made by hand."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.paths import run_folder

CLASSES = ("happiness", "others", "surprise")
#: Two test images of each class.
LABELS = ("happiness", "happiness", "others", "others", "surprise", "surprise")


def write_run(
    results: Path,
    predicted: Sequence[str],
    *,
    model: str = "resnet18",
    lr: str = "1e-05",
    repeat: int = 1,
    fold: str = "1",
    validation: Sequence[float] = (0.2, 0.4),
    losses: Sequence[float | str] = (1.5, 1.0),
    labels: Sequence[str] = LABELS,
    classes: Sequence[str] = CLASSES,
    unseen: Sequence[tuple[str, str, str]] = (),
    experiment: str = "paper",
    failed: str | None = None,
) -> Path:
    """Write one run; `unseen` holds (image, label, predicted). Returns its folder.

    One that `failed` says why and has no predictions.
    """
    folder = run_folder(results, experiment, model, lr, repeat, fold)
    epochs = range(1, len(validation) + 1)
    history = pd.DataFrame(
        {
            "epoch": list(epochs),
            "train_loss": list(losses),
            "train_accuracy": list(validation),
            "validation_loss": list(losses),
            "validation_accuracy": list(validation),
        }
    )
    tables.write(history, folder / "history.tsv", tables.HISTORY)
    images = [f"casme/sub01/EP{number:02d}/1/onset" for number in range(len(labels))]
    rows = [] if failed else list(zip(images, labels, predicted, strict=True))
    _write_predictions(rows, folder / "predictions.tsv", classes)
    _write_predictions([] if failed else list(unseen), folder / "unseen_predictions.tsv", classes)
    last = None if failed else len(validation)
    facts = {"classes": list(classes), "device": "cpu", "failed": failed, "tested_epoch": last}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def _write_predictions(rows: list, path: Path, classes: Sequence[str]) -> None:
    frame = pd.DataFrame(rows, columns=list(tables.PREDICTIONS))
    for label in classes:
        frame[f"p_{label}"] = 1 / len(classes)
    tables.write(frame, path, tables.PREDICTIONS)
