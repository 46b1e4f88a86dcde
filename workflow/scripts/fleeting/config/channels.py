"""Recipes that do not fit what the channels of their input hold."""

from collections.abc import Iterator, Sequence
from typing import Any

from fleeting import registry
from fleeting.errors import UserError
from fleeting.layout import Config
from fleeting.settings import variant
from fleeting.training.channel_meanings import KNOWN, meanings


def misread_channels(given: Any, config: Config) -> Iterator[str]:
    """What augmentations and the mirrored test refuse of the channels, or do not know of them.

    Args:
        given: the config as it was written: a default says nothing of a user's pictures.
        config: the same, complete.
    """
    for name, experiment in config["experiments"].items():
        block = config["inputs"].get(experiment["input"])
        reading = _that_read_channels(experiment["recipe"])
        if not block or not reading:
            continue
        if _undeclared(experiment["input"], given, config):
            yield (
                f"experiments.{name}.recipe: {next(iter(reading))} has to know what the pictures "
                f"show; write `channels` in inputs.{experiment['input']}: [red, green, blue] for "
                "photographs, or the channels of a motion in the order of the files, with `zero` "
                "and `unit`"
            )
            continue
        module, settings = variant("input", block)
        channels = module.values(settings).channels
        for reader, known in reading.items():
            try:
                meanings(channels, reader, known)
            except UserError as error:
                yield f"experiments.{name}.{error}"


def _that_read_channels(recipe: Config) -> dict[str, Sequence[str] | None]:
    """What in a recipe reads channels, with the meanings that it knows; None: any."""
    kinds = [block["kind"] for block in recipe["augmentations"]]
    modules = {kind: registry.load("augmentation", kind) for kind in kinds}
    reading = {
        kind: module.MEANINGS for kind, module in modules.items() if hasattr(module, "MEANINGS")
    }
    return {**reading, "mirrored_test": KNOWN} if recipe["mirrored_test"] else reading


def _undeclared(name: str, given: Any, config: Config) -> bool:
    """Whether an input is of ready pictures, of which the file does not say what they show."""
    block = config["inputs"][name]
    crop = config["crops"].get(block.get("crop"))
    stated = (given.get("inputs") or {}).get(name) or {}
    return bool(
        crop
        and crop["frames"]["kind"] == "pictures"
        and "channels" in block
        and "channels" not in stated
    )
