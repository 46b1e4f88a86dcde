"""Figures of tables that are made by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fabricated_runs import declared, write_gate
from fleeting import registry, tsv
from fleeting.evaluation import schemas

CLASSES = ("disgust", "a class with a rather long name", "others")
SCHEMAS = {
    "baselines": schemas.BASELINES,
    "choices": schemas.CHOICES,
    "classes": schemas.CLASSES,
    "confusions": schemas.CONFUSIONS,
    "curves": schemas.CURVES,
    "intervals": schemas.INTERVALS,
    "databases": schemas.DATABASES,
    "scores": tsv.SCORES,
    "split": tsv.SPLIT,
}
SETTINGS = {"input.kind": "image", "crop.frames": {"kind": "phases", "neutral": False}}


def write_files(
    name: str, results: Path, tables: Mapping[str, pd.DataFrame], folds: int = 1, classes=CLASSES
) -> dict[str, list[Path]]:
    """Write the files that a figure reads; what a table lacks is filled with zeros."""
    files = declared("figure", name, results)
    for key, (path,) in files.items():
        if key == "gate":
            write_gate(path.parent, classes, folds=folds)
        else:
            missing = {column: "0" for column in SCHEMAS[key] if column not in tables[key]}
            tsv.write(tables[key].assign(**missing), path, SCHEMAS[key])
    return files


def draw(
    name: str,
    results: Path,
    tables: Mapping[str, pd.DataFrame],
    settings: Mapping[str, Any] = SETTINGS,
    **gate: Any,
) -> Figure:
    """Draw a figure with the settings that it declares, and `lr` if it is given."""
    wanted = (*registry.constants("figure", name).get("SETTINGS", ()), "lr")
    own = {key: settings[key] for key in wanted if key in settings}
    return registry.load("figure", name).draw(write_files(name, results, tables, **gate), own)


def chosen(*configurations: tuple[str, str]) -> pd.DataFrame:
    """The table of choices: the paper's, then validation's."""
    names = ("paper", "validation")[: len(configurations)]
    rows = [(name, *pair, 0.5, "because") for name, pair in zip(names, configurations, strict=True)]
    return pd.DataFrame(rows, columns=list(schemas.CHOICES))


def texts(items) -> list[str]:
    """The texts of labels, legends or axes."""
    return [item.get_text() for item in items]
