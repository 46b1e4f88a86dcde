"""The chosen configurations of an experiment, as figures name them."""

from collections.abc import Iterable
from pathlib import Path

from fleeting.evaluation.choices import choice_title
from fleeting.evaluation.summary import Choice, read_choices


def papers_model(path: Path) -> str:
    """The model of the paper's choice in evaluation/choices.tsv."""
    return next(choice.model for choice in read_choices(path) if choice.name == "paper")


def titles(choices: Iterable[Choice]) -> dict[tuple[str, str], str]:
    """A title for each chosen (model, lr); one that was chosen twice has both names."""
    found: dict[tuple[str, str], list[str]] = {}
    for choice in choices:
        found.setdefault((choice.model, choice.lr), []).append(choice_title(choice.name))
    return {configuration: " and ".join(names) for configuration, names in found.items()}
