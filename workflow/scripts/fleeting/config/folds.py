"""Decisions that follow from an experiment's number of folds, before there is a split."""

from typing import Any

from fleeting.settings import variant

#: With more folds than this, an experiment has no folder of links, and keeps models only if asked.
FEW_FOLDS = 10


def protocol(config: dict[str, Any], experiment: dict[str, Any]) -> dict[str, Any]:
    """An experiment's protocol; one that is matched has the other's in place of its name."""
    own: dict[str, Any] = experiment["protocol"]
    if own["kind"] == "matched":
        return {**own, "to": config["experiments"][own["to"]]["protocol"]}
    return own


def fold_count(config: dict[str, Any], experiment: dict[str, Any]) -> int | None:
    """The number of an experiment's folds, or None where it follows from the data."""
    module, settings = variant("protocol", protocol(config, experiment))
    folds: int | None = module.folds(settings)
    return folds


def has_few_folds(config: dict[str, Any], experiment: dict[str, Any]) -> bool:
    """Whether an experiment is known to have few folds."""
    folds = fold_count(config, experiment)
    return folds is not None and folds <= FEW_FOLDS


def kept_models(config: dict[str, Any], experiment: dict[str, Any]) -> str:
    """Which models of an experiment stay on disk: `all`, `chosen` or `none`."""
    default = config["keep_models"] if has_few_folds(config, experiment) else "none"
    return str(experiment["keep_models"] or default)
