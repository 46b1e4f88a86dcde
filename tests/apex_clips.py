"""Clips whose frames are crops, and the jobs that search them for an apex and pack them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fleeting import tsv
from fleeting.examples import find_apex, pack
from fleeting.examples.apex import APEXES
from small_splits import write_crop

MIDDLE: dict[str, Any] = {"kind": "middle", "replace": "missing"}
ALL: dict[str, Any] = {**MIDDLE, "replace": "all"}
PAIR: dict[str, Any] = {"kind": "onset_apex", "crop": "paper", "apex": MIDDLE}


class Clips:
    """Clips of a database, each frame a crop of a grey value that is its number."""

    def __init__(self, results: Path, database: str = "mine") -> None:
        self.results = results
        self.database = database
        self.samples: list[dict[str, str]] = []
        self.faces: list[dict[str, object]] = []
        self.folder = results / "inputs/paper"
        self.table = self.folder / f"{database}.apexes.tsv"

    def add(self, clip: str, onset: int, apex: int | str, offset: int | str, *frames: int) -> str:
        """A clip that has crops of these frames; those that are annotated have their phases."""
        name = f"{self.database}/p1/{clip}/{onset}"
        row = {"sample": name, "database": self.database, "subject": "p1", "clip": clip}
        phases = {"onset": str(onset), "apex": str(apex), "offset": str(offset)}
        row |= phases | {"emotion": "disgust", "action_units": "", "table": "t"}
        self.samples.append({**row, "table_row": str(len(self.samples) + 2)})
        for frame in frames:
            own = [phase for phase, number in phases.items() if number == str(frame)]
            for phase in own or [""]:
                self.crop(name, phase, frame)
        return name

    def crop(self, sample: str, phase: str, frame: int, side: int = 8, noisy: bool = False) -> None:
        picture = np.full((side, side, 3), frame, np.uint8)
        if noisy:
            picture = np.random.default_rng(frame).integers(0, 256, picture.shape, np.uint8)
        png = cv2.imencode(".png", picture)[1].tobytes()
        row = write_crop(self.results, sample, phase or str(frame), png)
        self.faces.append({**row, "phase": phase, "frame": frame})

    def search(self, block: dict[str, Any] = MIDDLE, threads: int = 2) -> list[dict[str, str]]:
        annotations, faces = (self.results / f"{name}.tsv" for name in ("annotations", "faces"))
        tsv.write_rows(self.samples, annotations, tsv.ANNOTATIONS)
        tsv.write_rows(self.faces, faces, tsv.FACES)
        find_apex.run(
            name="paper",
            database=self.database,
            settings=block,
            annotations=annotations,
            faces=faces,
            results=self.results,
            threads=threads,
            apexes=self.table,
        )
        return tsv.read_rows(self.table, APEXES)

    def pack(self, settings: dict[str, Any] = PAIR) -> dict[str, str]:
        """The frames that each example is made of, by its grey values."""
        files = {
            name: self.folder / f"{self.database}.{name}.tsv" for name in ("hashes", "excluded")
        }
        pack.run(
            name="paper",
            database=self.database,
            settings=settings,
            annotations=self.results / "annotations.tsv",
            faces=self.results / "faces.tsv",
            apexes=[self.table] if settings["apex"] else [],
            results=self.results,
            threads=2,
            accept_losses=True,
            table=self.folder / f"{self.database}.tsv",
            arrays=self.folder / f"{self.database}.npy",
            **files,
        )
        rows = tsv.read_rows(self.folder / f"{self.database}.tsv", tsv.EXAMPLES)
        arrays = np.load(self.folder / f"{self.database}.npy")
        return {
            row["example"]: f"{array[0, 0, 0]} {array[0, 0, 3]}"
            for row, array in zip(rows, arrays, strict=True)
        }

    def missing(self) -> list[tuple[str, str]]:
        rows = tsv.read_rows(self.folder / f"{self.database}.excluded.tsv", tsv.EXCLUDED)
        return [(row["sample"].split("/")[2], row["code"]) for row in rows]


def five_clips(results: Path) -> Clips:
    """One with an apex, one without, and three that cannot be searched."""
    made = Clips(results)
    made.add("stated", 10, 12, 20, *range(10, 21))
    made.add("none", 30, "", 40, *range(30, 41))
    made.add("short", 50, "", 51, 50, 51)
    made.add("endless", 60, "", "", 60, 61, 62)
    made.add("without crops", 70, 75, 80)
    return made
