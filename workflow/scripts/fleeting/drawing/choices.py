"""The chosen configurations of an experiment, as figures name them."""

from collections.abc import Iterable
from pathlib import Path

from fleeting.evaluation.summary import Choice, read_choices


def papers_model(path: Path) -> str:
    """The model of the paper's choice in evaluation/choices.tsv."""
    return next(choice.model for choice in read_choices(path) if choice.name == "paper")


def title(name: str) -> str:
    """What chose a configuration (`paper`, `validation` or `nested`), as a title."""
    return "nested choice" if name == "nested" else f"{name}'s choice"


def titles(choices: Iterable[Choice]) -> dict[tuple[str, str], str]:
    """A title for each chosen (model, lr); one that was chosen twice has both names."""
    found: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        found.setdefault((choice.model, choice.lr), []).append(title(choice.name))
    return {configuration: " and ".join(names) for configuration, names in found.items()}
