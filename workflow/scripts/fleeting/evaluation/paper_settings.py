"""The settings that the paper states, beside an experiment's."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fleeting.evaluation.paper_values import CLASSES, FIGURE_4_CLASSES, LRS, MODELS, paper_name
from fleeting.evaluation.summary import Summary

#: The keys of the recipe that the paper states.
RECIPE = ("weights", "optimiser", "augmentations")


def compare_settings(
    summary: Summary, split: pd.DataFrame, settings: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Rows of tables/paper_comparison.tsv: where the paper says it, what, its value and this run's.

    Args:
        summary: the experiment's runs.
        split: its split.tsv; counts are of the first fold.
        settings: the values of the config that tables/paper_comparison.py declares.
    """
    recipe = {key: settings[f"experiment.recipe.{key}"] for key in RECIPE}
    protocol, size = settings["experiment.protocol"], settings["crop.size"]
    phases = settings["input"].get("phases") or [f"the input {settings['input']['kind']}"]
    fold = split[split["fold"] == split["fold"].iloc[0]]
    training = "images of a class to train on, validation included"
    if (protocol.get("validation") or {}).get("from") == "surplus":
        # The paper's 100 and 75 then hold without the validation images.
        fold, training = fold[fold["split"] != "validation"], "images of a class to train on"
    test = fold["split"] == "test"
    classes, models = sorted(summary.classes), [paper_name(model) for model in summary.models]
    papers_models = [paper_name(model) for model in MODELS]
    devices = sorted(set(summary.runs["device"]) - {""}) or "not recorded"
    cap = protocol.get("images_per_class", "no limit")
    runs_a_rate = len(models) * summary.repeats
    weights = recipe["weights"] if recipe["weights"] in ("imagenet", "none") else "a file"
    augmentations = [block["kind"] for block in recipe["augmentations"]] or "none"
    rows = [
        ("abstract, section 3", "databases", 4, len(settings["databases"])),
        ("abstract, section 3", "kinds of frames", ["onset", "apex", "offset"], phases),
        ("section 3, figure 4", "classes", sorted(FIGURE_4_CLASSES), classes),
        ("section 4.3, table 2", "classes", sorted(CLASSES), classes),
        ("section 3", "images of a class at most", 100, cap),
        ("section 3", "images of a class in the split", 100, _range(fold)),
        ("section 3, equation 1", training, 75, _range(fold[~test])),
        ("section 3, equation 1", "images of a class to test on", 25, _range(fold[test])),
        ("section 3", "pixels of a crop", "224x224", f"{size}x{size}" if size else "as they are"),
        ("section 3, table 1", "outputs", 6, len(classes)),
        ("section 3", "models", papers_models, models),
        ("section 3, equation 2", "models N", "5 (40 / 10 gives 4)", len(models)),
        ("section 3, equation 2", "repeats E", 10, summary.repeats),
        ("section 3, equation 2", "M_p = N x E, at each rate", 40, runs_a_rate),
        ("section 3", "epochs", 100, sorted(set(summary.runs["epochs"]))),
        ("section 3", "learning rates", list(LRS), summary.lrs),
        ("section 3", "pretrained weights", "imagenet", weights),
        ("section 3", "optimiser", "sgd", recipe["optimiser"]["kind"]),
        ("section 5", "augmentations", "none", augmentations),
        ("section 3", "device", "NVIDIA GTX 1060, 6 GB", devices),
    ]
    return [_row(where, claim, _text(stated), _text(own)) for where, claim, stated, own in rows]


def _row(where: str, claim: str, stated: str, own: str) -> dict[str, str]:
    return {
        "where": where,
        "kind": "setting",
        "claim": claim,
        "paper": stated,
        "this_run": own,
        "decided_by": "the same text",
        "status": "as in the paper" if own == stated else "differs from the paper",
    }


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _range(part: pd.DataFrame) -> str:
    """The smallest and largest count of examples a class, one number where they agree."""
    counts = part["label"].value_counts()
    if counts.empty:
        return "0"
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"
