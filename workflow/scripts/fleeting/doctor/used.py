"""Which of the config's blocks its experiments use."""

from typing import Any

from fleeting.config.loading import Config


def inputs(config: Config) -> dict[str, Any]:
    """The blocks of the inputs in use, by name."""
    names = sorted({block["input"] for block in config["experiments"].values()})
    return {name: config["inputs"][name] for name in names}


def crops(config: Config) -> dict[str, Any]:
    """The blocks of the crops in use, by name."""
    names = sorted({block["crop"] for block in inputs(config).values()})
    return {name: config["crops"][name] for name in names}


def selections(config: Config) -> list[dict[str, Any]]:
    """The different selections of frames of the crops in use."""
    found: list[dict[str, Any]] = []
    for crop in crops(config).values():
        if crop["frames"] not in found:
            found.append(crop["frames"])
    return found
