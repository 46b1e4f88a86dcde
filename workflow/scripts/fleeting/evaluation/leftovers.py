"""What was not used: excluded rows and images of every stage, and unused crops."""

from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.evaluation.accounting import Places
from fleeting.evaluation.collected import experiment_folder
from fleeting.evaluation.render import Page


def excluded(places: Places, databases: list[str]) -> pd.DataFrame:
    """Every exclusion of every stage, by database and then in the order of the stages."""
    frames = [frame for name in databases for frame in places.excluded(name).values()]
    return pd.concat(frames, ignore_index=True)


def unused(results: Path, experiment: str) -> pd.DataFrame:
    """Every crop that the experiment does not use, in the order of unused.tsv."""
    return tables.read(experiment_folder(results, experiment) / "unused.tsv", tables.UNUSED)


def excluded_page(frame: pd.DataFrame) -> Page:
    """Exclusions for reading: counts by reason, then every one."""
    what = ["image" if image else "row" for image in frame["image"]]
    counted = frame.assign(what=what)
    rows = pd.DataFrame(
        {
            "database": frame["database"],
            "table row": frame["table_row"],
            "left out": frame["image"].where(frame["image"] != "", "the whole row"),
            "stage": frame["stage"],
            "reason": frame["reason"],
            "detail": frame["detail"],
        }
    )
    return Page(
        "Excluded rows and images",
        "Everything that a stage could not use, with the row of the database's table as a "
        "spreadsheet program numbers it. A row without an image leaves out all three images of "
        "the expression; the other images of an excluded image's sample stay.",
        [
            ("By reason", _counts(counted, ["database", "stage", "what", "reason"])),
            ("Every exclusion", rows),
        ],
    )


def unused_page(frame: pd.DataFrame) -> Page:
    """Unused crops for reading: counts by reason, then every one."""
    return Page(
        "Crops that the experiment does not use",
        "Every crop outside the split. Drawn once, by the seed of the split; nothing of it varied "
        "between repeats.",
        [
            ("By reason", _counts(frame, ["database", "reason"])),
            ("Every unused crop", frame[["image", "emotion", "label", "reason", "detail"]]),
        ],
    )


def _counts(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    counts = frame.groupby(keys, sort=False).size().rename("count").reset_index()
    return counts.sort_values(["count", *keys], ascending=[False, *[True] * len(keys)])
