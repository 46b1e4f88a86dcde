"""A database of frames with red squares for faces, its crop job, and a detector that finds them."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fleeting import registry, tsv
from fleeting.faces.crop import crop_frames
from fleeting.faces.crop_sample import CropJob
from fleeting.faces.settings import Cropping, DetectorSettings, Margin

Row = dict[str, str]

BLOCK = {
    "detector": DetectorSettings(kind="stub"),
    "margin": {"top": 0.2, "sides": 0.1, "bottom": 0.1},
    "size": 48,
}
SAMPLE = "casme2/sub01/EP (1)^2"
FACE = (40, 40, 20, 200)


class RedSquares:
    """Finds red rectangles; how red they are is the confidence."""

    calls = 0

    def detect(self, image: np.ndarray) -> np.ndarray:
        self.calls += 1
        red = (image[..., 2].astype(int) - image[..., 0] > 25).astype(np.uint8)
        count, _, found, _ = cv2.connectedComponentsWithStats(red)
        boxes = [
            [x, y, x + w, y + h, image[y + h // 2, x + w // 2, 2] / 255]
            for x, y, w, h, _ in found[1:count].tolist()
        ]
        return np.array(sorted(boxes, key=lambda box: -box[4]), float).reshape(-1, 5)


def use_red_squares(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    """The detector of crop jobs from now on."""
    stub = RedSquares()
    margin = Margin(top=0, sides=0, bottom=0)
    module = SimpleNamespace(load=lambda weights, settings: stub, MARGIN=margin)
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: module if name == "stub" else load(kind, name)
    )
    return stub


class Database:
    """A database with a folder of frames, its table of frames and its crop job."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "frames"
        self.root.mkdir()
        self.results = folder / "results"
        self.table = folder / "casme2.tsv"
        self.rows: list[dict[str, object]] = []

    def frame(self, phase: str, *faces: tuple[int, ...], onset: int = 10, file: str = "") -> Path:
        """A frame with red faces (x, y, side, redness), its file and row."""
        image = np.full((100, 140, 3), 30, np.uint8)
        image[:, :, 1] += np.arange(140, dtype=np.uint8)
        for x, y, side, red in faces:
            image[y : y + side, x : x + side, 2] = red
        file = file or f"img{len(self.rows)}.png"
        if not (self.root / file).exists():
            cv2.imwrite(str(self.root / file), image)
        sample = f"{SAMPLE}/{onset}"
        row = {"image": f"{sample}/{phase or 'picture'}", "sample": sample, "phase": phase}
        row |= {"frame": onset if phase else "", "path": file, "table_row": len(self.rows) + 2}
        self.rows.append(row)
        return self.root / file

    def crop(
        self,
        source: str = "raw",
        threads: int = 2,
        detector_files: Sequence[Path] = (),
        **changes: object,
    ) -> tuple[list[Row], list[Row]]:
        """The rows of the crops and of the exclusions, which must account for all frames."""
        tsv.write_rows(self.rows, self.table, tsv.FRAMES)
        settings = Cropping.model_validate({**BLOCK, **changes})
        job = CropJob(self.results, "paper", "casme2", self.root, source, settings)
        found = crop_frames(job, self.table, None, detector_files, threads)
        tables = []
        for rows, schema in zip(found, (tsv.FACES, tsv.EXCLUDED), strict=True):
            tsv.write_rows(rows, self.results / "table.tsv", schema)
            tables.append(tsv.read_rows(self.results / "table.tsv", schema))
        cropped, uncropped = tables
        names = [row["image"] for row in [*cropped, *uncropped]]
        assert sorted(names) == sorted(str(row["image"]) for row in self.rows)
        assert set(self.crops()) == {self.results / row["path"] for row in cropped}
        return cropped, uncropped

    def crops(self) -> list[Path]:
        return sorted(self.results.joinpath("faces/paper/casme2").rglob("*.png"))
