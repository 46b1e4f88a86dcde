"""The crop job of one subject: every frame becomes a crop, or a row that says why not."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from fleeting import paths, registry, tsv
from fleeting.errors import Unusable, UserError
from fleeting.faces import images, outcomes
from fleeting.faces.box import Rectangle, cut, square_around
from fleeting.faces.detector import Image
from fleeting.faces.face_of_frame import Face, FaceFinder
from fleeting.faces.settings import Cropping

Row = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CropJob:
    """The work of one crop job.

    `results` is the results folder, `root` the folder of the database's frames, `source` is `raw`
    or `cropped` (the frames are the provider's crops), `weights` is a file or a folder (None where
    nothing is detected).
    """

    results: Path
    crop: str
    database: str
    subject: str
    root: Path
    source: str
    settings: Cropping
    weights: Path | None

    @property
    def folder(self) -> Path:
        """The folder of the crops."""
        return self.results.joinpath("faces", self.crop, self.database, self.subject)


def run(
    *,
    results: Path,
    crop: str,
    database: str,
    subject: str,
    root: Path,
    source: str,
    settings: dict,
    frames: Path,
    weights: Path | None = None,
    faces: Path,
    excluded: Path,
) -> None:
    """Crop the faces of one subject's frames; the crops are written below the results folder.

    Args:
        results: the results folder.
        crop: the name of the block under `crops`.
        database: the database's name.
        subject: the subject's name.
        root: the folder of the database's frames.
        source: `raw`, or `cropped` where the frames are the provider's crops.
        settings: the block under `crops`; its `frames` have been selected already.
        frames: the subject's table of frames.
        weights: the detector's file or folder.
        faces: table of the crops, written.
        excluded: table of the images without a crop, written.
    """
    block = {key: value for key, value in settings.items() if key != "frames"}
    cropping = Cropping.model_validate(block)
    job = CropJob(results, crop, database, subject, root, source, cropping, weights)
    crop_frames(job, frames, faces, excluded)


def crop_frames(job: CropJob, frames: Path, faces: Path, excluded: Path) -> None:
    """Crop the frames of the table `frames` and write the tables `faces` and `excluded`.

    What an earlier run left in the job's folder is removed first.
    """
    rows = _read_frames(job, frames)
    if job.folder.exists():
        shutil.rmtree(job.folder)
    job.folder.mkdir(parents=True)
    make = _around_faces if job.settings.detects(job.source) else _whole_pictures
    results = sorted(make(job, rows), key=lambda row: str(row["image"]))
    cropped = [row for row in results if "path" in row]
    uncropped = [row for row in results if "path" not in row]
    tsv.write_rows(cropped, faces, tsv.FACES)
    tsv.write_rows(uncropped, excluded, tsv.EXCLUDED_FRAMES)
    for row in uncropped:
        log.info("%s: %s, %s", row["image"], row["reason"], row["detail"])
    counts = len(cropped), len(rows)
    log.info("%s/%s: %d of %d images cropped", job.database, job.subject, *counts)


def _read_frames(job: CropJob, frames: Path) -> list[Row]:
    """The table's rows by sample and phase, checked, since the names of images become paths."""
    rows: list[Row] = [*tsv.read_rows(frames, tsv.FRAMES)]
    seen = set()
    for line, row in enumerate(rows, start=2):
        image, sample = row["image"], row["sample"]
        of_subject = sample.startswith(f"{job.database}/{job.subject}/")
        inside = of_subject and image.startswith(f"{sample}/")
        if not inside or not all(map(paths.is_safe_name, image.split("/"))) or image in seen:
            raise UserError(
                f"{frames}, line {line}: {image!r} is there twice, or is not the name of an image "
                f"of {job.database}/{job.subject}; rerun with `-R select_frames`"
            )
        seen.add(image)
    # Images without a phase stay in the order of their selection.
    return sorted(rows, key=lambda row: (row["sample"], tsv.PHASE_ORDER[row["phase"]]))


def _whole_pictures(job: CropJob, rows: list[Row]) -> list[Row]:
    """The whole pictures, resized where the settings say so."""
    provided = job.settings.provided(job.source)
    detector = outcomes.PROVIDER if provided else outcomes.NONE
    outcome = "provider's crop" if provided else "whole picture"

    def make(row: Row) -> Row:
        image = images.read(job.root, row["path"])
        height, width = image.shape[:2]
        return _write(job, row, image, Rectangle(0, 0, width, height), "", detector, outcome)

    return [_attempt(job, row, make) for row in rows]


def _around_faces(job: CropJob, rows: list[Row]) -> list[Row]:
    """Crops around detected faces, one box per frame or per clip."""
    settings: Any = job.settings.detector
    module = registry.load("detector", settings.kind)
    margin = job.settings.margin or module.MARGIN
    finder = FaceFinder(job.root, module.load(job.weights, settings), settings.confidence)

    def make(row: Row, *, donor: Row | None) -> Row:
        image, face = _image_and_face(finder, row, donor)
        square = square_around(face.box, margin)
        pixels, outcome = cut(image, square), _outcome(face, square)
        return _write(job, row, pixels, square, face.confidence, settings.kind, outcome)

    results = []
    for _, group in groupby(rows, key=lambda row: row["sample"]):
        clip = list(group)
        donor = None
        if job.settings.box == "clip":
            donor = next((row for row in clip if finder.has_face(row["path"])), None)
        results += [_attempt(job, row, partial(make, donor=donor)) for row in clip]
    return results


def _image_and_face(finder: FaceFinder, row: Row, donor: Row | None) -> tuple[Image, Face]:
    """A frame and its face: detected in it, or, with `donor`, in that row's frame."""
    if donor is None or donor is row:
        face = finder.face(row["path"])
        return finder.read(row["path"]), face
    face = finder.face(donor["path"])
    image = finder.read(row["path"])
    height, width = image.shape[:2]
    name = donor["phase"] or donor["frame"]
    if (width, height) != (face.width, face.height):
        raise Unusable(
            "frame_size",
            f"{width} x {height} pixels, but the box is of the {name} frame of "
            f"{face.width} x {face.height}",
        )
    outcome = outcomes.of_borrowed_box(name, finder.was_missed(row["path"]))
    return image, replace(face, outcome=outcome)


def _outcome(face: Face, square: Rectangle) -> str:
    """The outcome of a crop, for example `largest of 2 faces, face cut by the border`."""
    if face.cut:
        cut_off = "face cut by the border"
        return cut_off if face.outcome == "face" else f"{face.outcome}, {cut_off}"
    if square.leaves(face.width, face.height):
        return f"{face.outcome}, margin beyond the border"
    return face.outcome


def _attempt(job: CropJob, row: Row, make: Callable[[Row], Row]) -> Row:
    """What `make` returns for the row, or the row that excludes it."""
    try:
        return make(row)
    except Unusable as error:
        return {
            "database": job.database,
            "sample": row["sample"],
            "image": row["image"],
            "stage": "faces",
            **error.exclusion(),
            "detail": f"{row['path']}: {error.detail}",
        }
    except Exception:
        log.error("Stopped at %s, file %s.", row["image"], row["path"])
        raise


def _write(
    job: CropJob,
    row: Row,
    pixels: Image,
    rectangle: Rectangle,
    confidence: float | str,
    detector: str,
    outcome: str,
) -> Row:
    """Write a crop, resized where the settings say so; returns its row."""
    path = paths.crop_path(job.crop, row["image"])
    size = job.settings.size
    images.write(pixels if size is None else images.resize(pixels, size), job.results / path)
    return {
        "image": row["image"],
        "sample": row["sample"],
        "phase": row["phase"],
        "path": path,
        **{name: float(value) for name, value in rectangle._asdict().items()},
        "confidence": confidence,
        "detector": detector,
        "outcome": outcome,
        "file": row["path"],
        "sha256": paths.sha256(job.results / path),
    }
