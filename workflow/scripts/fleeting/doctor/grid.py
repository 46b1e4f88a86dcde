"""The runs of an experiment, as the workflow will ask for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleeting.paths import run_folder
from fleeting.splits.split import FOLD


@dataclass(frozen=True)
class Grid:
    """An experiment's models, and what each of them is trained with."""

    results: Path
    experiment: str
    models: tuple[str, ...]
    lrs: tuple[str, ...]
    repeats: int
    epochs: int

    @classmethod
    def of(cls, results: str, experiment: str, block: dict[str, Any]) -> "Grid":
        """The grid of an experiment's block in the config."""
        grid = block["grid"]
        return cls(
            Path(results),
            experiment,
            tuple(grid["models"]),
            tuple(grid["lrs"]),
            grid["repeats"],
            block["recipe"]["epochs"],
        )

    @property
    def runs_a_model(self) -> int:
        """How often each model is trained."""
        return len(self.lrs) * self.repeats

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.models) * self.runs_a_model

    def folders(self, model: str) -> list[Path]:
        """The folders of a model's runs."""
        return [
            run_folder(self.results, self.experiment, model, lr, repeat, FOLD)
            for lr in self.lrs
            for repeat in range(1, self.repeats + 1)
        ]

    def describe(self) -> str:
        """The grid in words."""
        models, lrs = len(self.models), len(self.lrs)
        return (
            f"{_count(models, 'model')} x {_count(lrs, 'rate')} x {_count(self.repeats, 'repeat')} "
            f"= {_count(self.runs, 'run')} of {_count(self.epochs, 'epoch')}"
        )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
