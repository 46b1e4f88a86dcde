"""The settings that the paper states, beside an experiment's."""

from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.evaluation import paper
from fleeting.evaluation.classes import Settings
from fleeting.evaluation.collected import Collected, experiment_folder
from fleeting.evaluation.grid import paper_name


def compare(
    collected: Collected,
    results: Path,
    experiment: str,
    databases: list[str],
    settings: Settings,
    size: int,
) -> list[tuple[str, str, str, str]]:
    """Where the paper says it, what, its value, and this run's; counts are read from the split."""
    split = tables.read(experiment_folder(results, experiment) / "split.tsv", tables.SPLITS)
    split = split[split["fold"] == split["fold"].iloc[0]] if len(split) else split
    if settings.surplus:  # the paper's 100 and 75 then hold without the validation images
        split = split[split["split"] != "validation"]
    test = split["split"] == "test"
    training = "images of a class to train on"
    training += "" if settings.surplus else ", validation included"
    models, repeats = len(collected.models), collected.repeats
    named = ", ".join(map(paper_name, collected.models))
    epochs = sorted(set(collected.runs["epochs"].astype(int)))
    devices = ", ".join(sorted(set(collected.runs["device"]) - {""})) or "not recorded"
    classes = ", ".join(sorted(collected.classes))
    return [
        ("abstract, section 3", "databases", "4", str(len(databases))),
        ("abstract, section 3", "kinds of frames", "onset, apex, offset", _list(settings.phases)),
        ("section 3, figure 4", "classes", _list(sorted(paper.FIGURE_4_CLASSES)), classes),
        ("section 4.3, table 2", "classes", _list(sorted(paper.CLASSES)), classes),
        ("section 3", "images of a class at most", "100", str(settings.cap)),
        ("section 3", "images of a class in the split", "100", _range(split)),
        ("section 3, equation 1", training, "75", _range(split[~test])),
        ("section 3, equation 1", "images of a class to test on", "25", _range(split[test])),
        ("section 3", "pixels of a crop", "224x224", f"{size}x{size}"),
        ("section 3, table 1", "outputs", "6", str(len(collected.classes))),
        ("section 3", "models", _list(list(map(paper_name, paper.MODELS))), named),
        ("section 3, equation 2", "models N", "5 (40 / 10 gives 4)", str(models)),
        ("section 3, equation 2", "repeats E", "10", str(repeats)),
        ("section 3, equation 2", "M_p = N x E, at each rate", "40", str(models * repeats)),
        ("section 3", "epochs", "100", _list(epochs)),
        ("section 3", "learning rates", _list(paper.LRS), ", ".join(collected.lrs)),
        ("section 3", "device", "NVIDIA GTX 1060, 6 GB", devices),
    ]


def _list(values: object) -> str:
    return ", ".join(map(str, values))  # type: ignore[call-overload]


def _range(part: pd.DataFrame) -> str:
    """The smallest and largest count of images a class, one number where they agree."""
    counts = part["label"].value_counts()
    if counts.empty:
        return "0"
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"
