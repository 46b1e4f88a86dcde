"""Annotations, examples and their arrays of a small database, and a job that splits them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.splits import split

#: The rows of one sample: (subject, clip, emotion).
Sample = tuple[str, str, str]
LABELS = {"happiness": ["happiness", "amusement"], "others": ["other", "others"]}
RANDOM: dict[str, Any] = {"kind": "random_images"}
SUBJECT_OUT: dict[str, Any] = {"kind": "leave_one_out"}


def examples(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Annotated examples of (database/subject/clip, phase, emotion, source)."""
    return pd.DataFrame(
        [
            {
                "example": f"{sample}/{phase}",
                "sample": sample,
                "database": sample.split("/")[0],
                "subject": sample.split("/")[1],
                "phase": phase,
                "sha256": "0" * 64,
                "source": source,
                "clip": sample.split("/")[2],
                "emotion": emotion,
                "table": "t.xlsx",
                "table_row": "7",
            }
            for sample, phase, emotion, source in rows
        ]
    )


def labelled(*clips: tuple[str, str]) -> pd.DataFrame:
    """A pool with one example a clip, of (database/subject/clip, label)."""
    table = examples(*((clip, "apex", label, clip) for clip, label in clips))
    return table.assign(label=table["emotion"]).sort_values("example", ignore_index=True)


@dataclass(frozen=True)
class Data:
    """Where the tables of some databases lie, and where their split is written."""

    folder: Path
    databases: Sequence[str]

    def examples(self, database: str) -> Path:
        return self.folder / "inputs/paper" / f"{database}.tsv"

    def add(
        self,
        database: str,
        samples: Sequence[Sample],
        phases: Sequence[str] = tsv.PHASES,
        shape: tuple[int, ...] = (8, 8, 3),
    ) -> None:
        """Write the tables and the arrays of a database."""
        annotated, made = [], []
        for number, (subject, clip, emotion) in enumerate(samples, start=2):
            name = {"sample": f"{database}/{subject}/{clip}/1", "database": database}
            name["subject"] = subject
            annotated.append(
                name
                | {"clip": clip, "onset": 1, "apex": 2, "offset": 3, "emotion": emotion}
                | {"action_units": "12", "table": "t.xlsx", "table_row": number}
            )
            for phase in phases:
                example = f"{name['sample']}/{phase}"
                digest = hashlib.sha256(example.encode()).hexdigest()
                made.append(
                    name | {"example": example, "phase": phase, "sha256": digest, "source": example}
                )
        tsv.write_rows(annotated, self.folder / "annotations" / f"{database}.tsv", tsv.ANNOTATIONS)
        tsv.write_rows(made, self.examples(database), tsv.EXAMPLES)
        arrays = np.zeros((len(made), *shape), np.uint8)
        np.save(self.examples(database).with_suffix(".npy"), arrays)

    def split(
        self,
        protocol: dict[str, Any],
        label_map: dict[str, list[str]] = LABELS,
        exclude_subjects: Sequence[str] = (),
    ) -> None:
        """Run the job: split.tsv, folds.tsv, split.json and unused.tsv in the folder."""
        split.run(
            annotations=[self.folder / "annotations" / f"{name}.tsv" for name in self.databases],
            examples=[self.examples(name) for name in self.databases],
            label_map=label_map,
            exclude_subjects=list(exclude_subjects),
            protocol=protocol,
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


def twenty_samples(subjects: int = 5) -> list[Sample]:
    """Samples of two emotions by turns, shared out over the subjects."""
    return [
        (f"{number % subjects:03d}", f"clip{number}", ["happiness", "other"][number % 2])
        for number in range(20)
    ]
