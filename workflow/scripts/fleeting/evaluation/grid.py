"""An experiment's grid of runs: models, learning rates, repeats and folds."""

import json
from dataclasses import dataclass

from fleeting.errors import UserError


@dataclass(frozen=True)
class Grid:
    """Which runs an experiment has, in the order of the config."""

    models: tuple[str, ...]
    lrs: tuple[str, ...]
    repeats: int
    folds: tuple[str, ...]

    def cells(self) -> list[tuple[str, str]]:
        """Every (model, learning rate)."""
        return [(model, lr) for model in self.models for lr in self.lrs]


def parse(text: str) -> Grid:
    """Read `{"models": [...], "lrs": [...], "repeats": 10, "folds": ["1"]}`.

    A key that is missing, empty or of the wrong kind is a `UserError` that names it.
    """
    try:
        block = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"the grid is not JSON ({error}): {text!r}") from None
    if not isinstance(block, dict):
        raise UserError(f"the grid is not a JSON object: {text!r}")
    repeats = block.get("repeats")
    if not isinstance(repeats, int) or isinstance(repeats, bool) or repeats < 1:
        raise UserError(f"grid.repeats must be a whole number from 1 on, not {repeats!r}")
    return Grid(_names(block, "models"), _names(block, "lrs"), repeats, _names(block, "folds"))


def _names(block: dict[str, object], key: str) -> tuple[str, ...]:
    names = block.get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UserError(f"grid.{key} must be a list of names, not {names!r}")
    return tuple(names)


def paper_name(model: str) -> str:
    """A model's name as the paper writes it: `resnet18` is ResNet18; others stay as they are."""
    return model.replace("resnet", "ResNet", 1) if model.startswith("resnet") else model
