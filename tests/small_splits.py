"""Annotations, examples and their arrays of a small database, and the job that splits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.files import write_bytes
from fleeting.paths import crop_path, sha256
from fleeting.splits import labels, split

LABELS = {"happiness": ["happiness", "amusement"], "others": ["other", "others"]}
RANDOM: dict[str, Any] = {"kind": "random_images", "images_per_class": 20}
SUBJECT_OUT: dict[str, Any] = {"kind": "leave_one_out"}
#: Of twenty clips: subject, clip and emotion.
CLIPS = [
    (f"{number % 5:03d}", f"clip{number}", ["happiness", "other"][number % 2])
    for number in range(20)
]


def examples(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Annotated examples of (database/subject/clip, phase, emotion, source)."""
    table = pd.DataFrame(rows, columns=["sample", "phase", "emotion", "source"], dtype="str")
    names = [sample.split("/") for sample in table["sample"]]
    table[["database", "subject", "clip"]] = pd.DataFrame(names, columns=range(3), dtype="str")
    table["example"] = table["sample"] + "/" + table["phase"]
    table["person"] = table["database"] + "/" + table["subject"]
    table["recording"] = table["person"] + "/" + table["clip"]
    return table.assign(sha256="0" * 64, table="t.xlsx", table_row="7")


def labelled(*clips: tuple[str, str]) -> pd.DataFrame:
    """A pool with one example a clip, of (database/subject/clip, label)."""
    table = examples(*((clip, "apex", label, clip) for clip, label in clips))
    return table.assign(label=table["emotion"]).sort_values("example", ignore_index=True)


def resolved_map(given: str | labels.Classes, *databases: str) -> labels.LabelMap:
    """The label map of an experiment, for databases that have a reader for any table."""
    return labels.resolve(given, {name: {"reader": "table"} for name in databases})


def write_crop(results: Path, sample: str, phase: str, content: bytes) -> dict[str, object]:
    """Write a file in the place of a crop; returns its row of FACES."""
    image = f"{sample}/{phase}"
    path = crop_path("paper", image)
    write_bytes(content, results / path)
    row = {"image": image, "sample": sample, "phase": phase, "path": path, "file": f"{image}.jpg"}
    row["frame"] = str(tsv.PHASES.index(phase)) if phase in tsv.PHASES else ""
    row |= {"detector": "none", "outcome": "whole", "sha256": sha256(results / path)}
    return row | dict.fromkeys(tsv.FACES.keys() - row.keys(), "")


@dataclass(frozen=True)
class Data:
    """Where the tables of some databases lie, and where their split is written."""

    folder: Path
    databases: Sequence[str] = ("samm",)

    def examples(self, database: str = "samm") -> Path:
        return self.folder / "inputs/paper" / f"{database}.tsv"

    def annotations(self, database: str = "samm") -> Path:
        return self.folder / "annotations" / f"{database}.tsv"

    def add(
        self,
        database: str = "samm",
        clips: Sequence[tuple[str, str, str]] = CLIPS,
        shape: tuple[int, ...] = (8, 8, 3),
    ) -> None:
        """Write the tables and the arrays of a database."""
        samples = [(f"{database}/{subject}/{clip}", emotion) for subject, clip, emotion in clips]
        made = examples(
            *(
                (name, phase, emotion, f"{name}/{phase}")
                for name, emotion in samples
                for phase in tsv.PHASES
            )
        )
        annotated = made.drop_duplicates("sample").drop(columns=["person", "recording"])
        annotated = annotated.assign(onset=1, apex=2, offset=3, action_units="")
        tsv.write(annotated, self.annotations(database), tsv.ANNOTATIONS)
        tsv.write(made[list(tsv.EXAMPLES)], self.examples(database), tsv.EXAMPLES)
        arrays = np.zeros((len(made), *shape), np.uint8)
        np.save(self.examples(database).with_suffix(".npy"), arrays)

    def split(
        self,
        protocol: dict[str, Any] = RANDOM,
        label_map: str | labels.Classes = LABELS,
        exclude_subjects: Sequence[str] = (),
        same_person: Sequence[Sequence[str]] = (),
        permute_labels: dict[str, Any] | None = None,
    ) -> None:
        """Run the job: split.tsv, folds.tsv, split.json and unused.tsv in the folder."""
        split.run(
            repeats=2,
            annotations=[*map(self.annotations, self.databases)],
            examples=[*map(self.examples, self.databases)],
            label_map=resolved_map(label_map, *self.databases),
            exclude_subjects=list(exclude_subjects),
            same_person=[list(group) for group in same_person],
            protocol=protocol,
            permute_labels=permute_labels,
            input={"kind": "image", "crop": "paper"},
            split=self.folder / "split.tsv",
            folds=self.folder / "folds.tsv",
            gate=self.folder / "split.json",
            unused=self.folder / "unused.tsv",
        )

    def rows(self) -> pd.DataFrame:
        return tsv.read(self.folder / "split.tsv", tsv.SPLIT)

    def folds(self) -> pd.DataFrame:
        return tsv.read(self.folder / "folds.tsv", tsv.FOLDS)

    def unused(self) -> pd.DataFrame:
        return tsv.read(self.folder / "unused.tsv", tsv.UNUSED)
