"""Decisions that follow from an experiment's number of folds, before there is a split."""

from typing import Any

from fleeting.settings import variant

#: With more folds than this, an experiment has no folder of links, and keeps models only if asked.
FEW_FOLDS = 10


def fold_count(experiment: dict[str, Any]) -> int | None:
    """The number of an experiment's folds, or None where it follows from the data."""
    protocol, settings = variant("protocol", experiment["protocol"])
    folds: int | None = protocol.folds(settings)
    return folds


def has_few_folds(experiment: dict[str, Any]) -> bool:
    """Whether an experiment is known to have few folds."""
    folds = fold_count(experiment)
    return folds is not None and folds <= FEW_FOLDS


def kept_models(config: dict[str, Any], experiment: dict[str, Any]) -> str:
    """Which models of an experiment stay on disk: `all`, `chosen` or `none`."""
    default = config["keep_models"] if has_few_folds(experiment) else "none"
    return str(experiment["keep_models"] or default)
