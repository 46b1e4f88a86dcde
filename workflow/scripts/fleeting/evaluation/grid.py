"""An experiment's grid of runs: models, learning rates and repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grid:
    """Which runs an experiment has, in the order of the config."""

    models: tuple[str, ...]
    lrs: tuple[str, ...]
    repeats: int

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "Grid":
        """Take the config's `grid` block, which is checked already."""
        return cls(tuple(block["models"]), tuple(block["lrs"]), block["repeats"])

    def configurations(self) -> list[tuple[str, str]]:
        """Every (model, learning rate)."""
        return [(model, lr) for model in self.models for lr in self.lrs]


def paper_name(model: str) -> str:
    """A model's name as the paper writes it: `resnet18` is ResNet18; others stay as they are."""
    return model.replace("resnet", "ResNet", 1) if model.startswith("resnet") else model
