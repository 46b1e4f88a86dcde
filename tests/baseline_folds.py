"""Folds of annotated clips, and pictures of them, for baselines."""

from typing import Any

import numpy as np
import pandas as pd

from fleeting import registry
from fleeting.evaluation.baseline import Examples, FoldData
from fleeting.evaluation.run_baselines import by_role, predicted
from fleeting.splits.folds import FoldSubsets, Subset
from fleeting.splits.gate import ArrayFormat

CLASSES = ("a", "b", "c")
PIXELS = ArrayFormat(channels=("grey",), zero=10, unit=50, shape=(30, 2, 1), dtype="uint8")
NAMES = [name for name in registry.names("baseline") if name != "regional_kernel_ridge"]
Clip = tuple[str, str, str]


def rows(*clips: Clip, images: int = 1) -> pd.DataFrame:
    """Examples of clips, each (database/subject, clip, label), with several images each."""
    table = [
        (f"{person}/{clip}/{image}", f"{person}/{clip}", *person.split("/"), "apex", label)
        for person, clip, label in clips
        for image in range(images)
    ]
    columns = ["example", "sample", "database", "subject", "phase", "label"]
    frame = pd.DataFrame(table, columns=columns)
    return frame.assign(person=frame["database"] + "/" + frame["subject"])


def said(
    baseline: str, train: pd.DataFrame, test: pd.DataFrame, examples: Any = None, seed: int = 1
) -> list[str]:
    """What a baseline predicts of test examples, whose labels it is not given."""
    fold = FoldData(CLASSES, train, test.drop(columns="label"), examples, seed)
    return list(registry.load("baseline", baseline).predict(fold))


def left_out(table: pd.DataFrame) -> tuple[list[FoldSubsets], dict[tuple[str, str], pd.DataFrame]]:
    """Leave one subject out."""
    folds, parts = [], []
    persons = table["database"] + "/" + table["subject"]
    for number, person in enumerate(sorted(set(persons)), start=1):
        folds.append(FoldSubsets(number, person, None, Subset(), Subset(), Subset()))
        role = np.where(persons == person, "test", "train")
        parts.append(table.assign(fold=str(number), split=role))
    return folds, dict(by_role(pd.concat(parts)))


def composite(seed: int = 1, subjects: int = 30) -> pd.DataFrame:
    """Clips of three databases whose classes differ in their shares."""
    generator = np.random.default_rng(seed)
    shares = {"x": (0.6, 0.3, 0.1), "y": (0.2, 0.5, 0.3), "z": (0.5, 0.1, 0.4)}
    clips = []
    for subject in range(subjects):
        database = "xyz"[subject % 3]
        for clip in range(generator.integers(2, 9)):
            label = generator.choice(CLASSES, p=shares[database])
            clips.append((f"{database}/s{subject:02}", f"c{clip}", str(label)))
    return rows(*clips)


def run(baseline: str, table: pd.DataFrame, examples: Any = None) -> pd.DataFrame:
    """The predictions of a baseline with each subject left out."""
    return predicted(baseline, *left_out(table), CLASSES, examples)


def pictures(table: pd.DataFrame, noise: float = 20, seed: int = 1) -> Examples:
    """A picture a row, (30, 2, 1), brighter in the part of its class."""
    generator = np.random.default_rng(seed)
    stored = generator.normal(100, noise, (len(table), *PIXELS.shape))
    for place, label in enumerate(table["label"]):
        part = 10 * CLASSES.index(label)
        stored[place, part : part + 10] += 20
    arrays = stored.clip(0, 255).astype(np.uint8)
    return Examples(table["example"].tolist(), lambda: arrays, PIXELS)
