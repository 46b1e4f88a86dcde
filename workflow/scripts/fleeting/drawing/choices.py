"""The chosen configurations of an experiment, as figures name them."""

from collections.abc import Iterable
from pathlib import Path

from fleeting.drawing import style
from fleeting.evaluation import results, schemas
from fleeting.evaluation.results import Choice


def read(path: Path) -> list[Choice]:
    """The rows of evaluation/choices.tsv."""
    rows = results.read(path, schemas.CHOICES).to_dict("records")
    return [Choice(**{column: row[column] for column in schemas.CHOICES}) for row in rows]


def papers_model(path: Path) -> str:
    """The model of the paper's choice in evaluation/choices.tsv."""
    return next(choice.model for choice in read(path) if choice.name == "paper")


def titles(choices: Iterable[Choice]) -> dict[tuple[str, str], str]:
    """A title for each chosen (model, lr); one that was chosen twice has both names."""
    found: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        found.setdefault((choice.model, choice.lr), []).append(style.choice_title(choice.name))
    return {configuration: " and ".join(names) for configuration, names in found.items()}
