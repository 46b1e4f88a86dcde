"""The settings that the paper states, beside an experiment's."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from fleeting.evaluation import paper
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.results import Summary


def compare(
    summary: Summary, split: pd.DataFrame, settings: Mapping[str, Any]
) -> list[tuple[str, str, str, str]]:
    """Where the paper says it, what, its value, and this run's.

    Args:
        summary: the experiment's runs.
        split: its split.tsv; counts are of the first fold.
        settings: `databases`, `experiment.protocol`, `input` and `crop.size` of the config.
    """
    protocol, size = settings["experiment.protocol"], settings["crop.size"]
    phases = settings["input"].get("phases") or [f"the input {settings['input']['kind']}"]
    fold = split[split["fold"] == split["fold"].iloc[0]] if len(split) else split
    surplus = (protocol.get("validation") or {}).get("from") == "surplus"
    if surplus:  # the paper's 100 and 75 then hold without the validation images
        fold = fold[fold["split"] != "validation"]
    test = fold["split"] == "test"
    training = "images of a class to train on"
    training += "" if surplus else ", validation included"
    models, repeats = len(summary.models), summary.repeats
    named = ", ".join(map(paper_name, summary.models))
    epochs = sorted(set(summary.runs["epochs"].astype(int)))
    devices = ", ".join(sorted(set(summary.runs["device"]) - {""})) or "not recorded"
    classes = ", ".join(sorted(summary.classes))
    cap = protocol.get("images_per_class")
    pixels = "as they are" if size is None else f"{size}x{size}"
    return [
        ("abstract, section 3", "databases", "4", str(len(settings["databases"]))),
        ("abstract, section 3", "kinds of frames", "onset, apex, offset", _list(phases)),
        ("section 3, figure 4", "classes", _list(sorted(paper.FIGURE_4_CLASSES)), classes),
        ("section 4.3, table 2", "classes", _list(sorted(paper.CLASSES)), classes),
        ("section 3", "images of a class at most", "100", "no limit" if cap is None else str(cap)),
        ("section 3", "images of a class in the split", "100", _range(fold)),
        ("section 3, equation 1", training, "75", _range(fold[~test])),
        ("section 3, equation 1", "images of a class to test on", "25", _range(fold[test])),
        ("section 3", "pixels of a crop", "224x224", pixels),
        ("section 3, table 1", "outputs", "6", str(len(summary.classes))),
        ("section 3", "models", _list(map(paper_name, paper.MODELS)), named),
        ("section 3, equation 2", "models N", "5 (40 / 10 gives 4)", str(models)),
        ("section 3, equation 2", "repeats E", "10", str(repeats)),
        ("section 3, equation 2", "M_p = N x E, at each rate", "40", str(models * repeats)),
        ("section 3", "epochs", "100", _list(epochs)),
        ("section 3", "learning rates", _list(paper.LRS), ", ".join(summary.lrs)),
        ("section 3", "device", "NVIDIA GTX 1060, 6 GB", devices),
    ]


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _range(part: pd.DataFrame) -> str:
    """The smallest and largest count of examples a class, one number where they agree."""
    counts = part["label"].value_counts()
    if counts.empty:
        return "0"
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"
