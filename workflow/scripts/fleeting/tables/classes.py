"""Examples of each class before and after the split, by database."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import CLASSES
from fleeting.splits.labels import LabelMap

CAPTION = (
    "Clips and examples of each class and database before the split, and those in training, "
    "validation and test after it. Where the protocol caps the examples of a class, classes that "
    "fall short of the cap are marked, and so are classes that are left out. Counts of one draw, "
    "which all repeats share."
)
READS = {
    "split": "experiments/{experiment}/split.tsv",
    "unused": "experiments/{experiment}/unused.tsv",
}
SETTINGS = ("databases", "label_map", "experiment.protocol")
#: Codes in unused.tsv: the same picture as another example, and a subject that is not used.
SAME_SOURCE, EXCLUDED_SUBJECT = "same_source", "excluded_subject"


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """For each class one row per database, then the row `all`. Roles are of the first fold."""
    split = tsv.read(files["split"][0], tsv.SPLIT)
    unused = tsv.read(files["unused"][0], tsv.UNUSED)
    databases, label_map = list(settings["databases"]), LabelMap(**settings["label_map"])
    cap = settings["experiment.protocol"].get("images_per_class")
    used = split.drop_duplicates("example").assign(code="")
    available = pd.concat([used, unused[unused["code"] != SAME_SOURCE]])
    parts = split[split["fold"] == split["fold"].iloc[0]]
    rows = []
    for label in label_map.classes:
        before, after = available[available["label"] == label], parts[parts["label"] == label]
        for database in databases:
            here = [frame[frame["database"] == database] for frame in (before, after)]
            rows.append({"label": label, "database": database, **_counts(*here)})
        rows.append({"label": label, "database": "all", **_counts(before, after)})
        if cap is not None:
            usable = int((before["code"] != EXCLUDED_SUBJECT).sum())
            rows[-1] |= {"cap": cap, "short_by": max(0, cap - usable)}
        if before.empty:
            rows[-1]["left_out"] = (
                f"{', '.join(databases)}: no example with the {label_map.column.replace('_', ' ')} "
                f"{' or '.join(label_map.values(label))}, so there is no class {label}"
            )
        elif after.empty:
            rows[-1]["left_out"] = (
                f"{len(before)} examples, but none in the split (unused.tsv says why)"
            )
    frame = pd.DataFrame(rows, columns=list(CLASSES), dtype=object).fillna("")
    return frame, _page(frame, cap)


def _counts(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, object]:
    return {
        "clips": before["sample"].nunique(),
        "examples": len(before),
        **{part: int((after["split"] == part).sum()) for part in ("train", "validation", "test")},
    }


def _page(frame: pd.DataFrame, cap: int | None) -> Page:
    """The table for reading: one table of totals, one by database, one of classes left out."""
    total = frame[frame["database"] == "all"]
    left_out = total.loc[total["left_out"] != "", ["label", "left_out"]]
    names = {"label": "class", "clips": "clips before", "examples": "examples before"}
    columns = ["label", "clips", "examples", "train", "validation", "test"]
    capped = ""
    if cap is not None:
        columns = [*columns[:3], "cap", *columns[3:], "short_by"]
        names["short_by"] = "short of the cap by"
        capped = (
            " A class that falls short of the cap is not padded by copies. Examples over the cap "
            "and all others outside the split are in the table of unused examples."
        )
    by_database = frame[frame["database"] != "all"].drop(columns=["cap", "short_by", "left_out"])
    parts = [
        ("All databases", total[columns].rename(columns=names)),
        ("By database", by_database.rename(columns=names)),
    ]
    if len(left_out):
        parts.append(("Classes left out", left_out.set_axis(["class", "reason"], axis=1)))
    return Page(
        "Classes before and after the split",
        "Counts of one draw; nothing varied between repeats; labels are those after permuting, "
        "where the experiment permutes them. Before: examples whose emotion is in the label map, a "
        "picture counted once. After: examples of the split (of the first fold)." + capped,
        parts,
    )
