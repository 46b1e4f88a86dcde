"""Test examples that have a near duplicate among the training or validation examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.near_duplicates import NEAR, closest_pairs, nearest
from fleeting.evaluation.render import Page

CAPTION = (
    "Test examples that have a near duplicate among the training or validation examples of their "
    "fold: pictures whose difference hashes differ in at most 10 of 64 bits. Those of the same "
    "subject are counted apart from those of other subjects, which are candidates and not findings."
)
READS = {
    "split": "experiments/{experiment}/split.tsv",
    "hashes": "inputs/{input}/{database}.hashes.tsv",
}
SETTINGS = ()
#: The most pairs of different subjects that are named.
MOST_PAIRS = 20
#: Whose examples a test example is compared with.
WHOSE = ("same_subject", "other_subject")


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per database and a row `total`.

    `test_examples` are counted in each fold that tests them; `same_subject` and `other_subject` are
    those with a near duplicate of the same subject and of another one. The median and the lowest
    distance to the nearest such example are in bits, and empty where no fold has one.
    """
    split = tsv.read(files["split"][0], tsv.SPLIT)
    hashed = pd.concat([tsv.read(path, tsv.HASHES) for path in files["hashes"]])
    found = nearest(split, hashed)
    groups = {str(name): own for name, own in found.groupby("database")} | {"total": found}
    frame = pd.DataFrame([_row(name, own) for name, own in groups.items()])
    return frame, _page(frame, closest_pairs(found, MOST_PAIRS))


def _row(name: str, found: pd.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {"database": name, "test_examples": len(found)}
    row |= {whose: int((found[whose] <= NEAR).sum()) for whose in WHOSE}
    for whose in WHOSE:
        row[f"{whose}_median"] = found[whose].median()
        row[f"{whose}_lowest"] = found[whose].min()
    return row


def _page(frame: pd.DataFrame, pairs: pd.DataFrame) -> Page:
    """The table for reading, and the pairs by name: no picture is shown."""
    shown = pd.DataFrame(
        {
            "database": frame["database"],
            "test examples": frame["test_examples"],
            "near duplicate of the same subject": frame["same_subject"],
            "near duplicate of another subject": frame["other_subject"],
            "bits to the same subject: median": _bits(frame["same_subject_median"]),
            "same: lowest": _bits(frame["same_subject_lowest"]),
            "bits to another subject: median": _bits(frame["other_subject_median"]),
            "other: lowest": _bits(frame["other_subject_lowest"]),
        }
    )
    named = pd.DataFrame(
        {
            "bits": _bits(pairs["other_subject"]),
            "test example": pairs["example"],
            "trained on or validated on": pairs["other_example"],
            "fold": pairs["fold"],
        }
    )
    return Page(
        "Near duplicates across the split",
        f"Pictures are compared by {tsv.HASH_METHOD}. Those whose hashes differ in at most {NEAR} "
        "bits are near duplicates. A test example is compared with the training and validation "
        "examples of its fold, and counts in each fold that tests it; of an example made of "
        "several pictures, the nearest decides. Bits are those to the nearest such example. Where "
        "a near duplicate of the same subject was trained on, a right answer says little of new "
        "recordings. A near duplicate of another subject is a candidate and not a finding: two "
        "people in one pose and light can have such hashes. Each test example is paired with its "
        "nearest. Look at the pictures of a pair yourself; if they show one person, name the two "
        "subjects under `same_person` in the config. Nothing was trained for this table, so there "
        "are no repeats.",
        [
            ("", shown),
            (f"The closest near duplicates of different subjects (at most {MOST_PAIRS})", named),
        ],
    )


def _bits(distances: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else f"{value:g}" for value in distances]
