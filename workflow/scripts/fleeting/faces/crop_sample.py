"""The crops of one sample: each of its frames becomes a crop, or a row that says why not."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from fleeting import paths, registry
from fleeting.errors import Unusable
from fleeting.faces import images, outcomes
from fleeting.faces.alignment import STILL, Motion, Reference, cut_moved
from fleeting.faces.box import Rectangle, cut, square_around
from fleeting.faces.detector import Detector, Image
from fleeting.faces.face_of_frame import Face, FaceFinder
from fleeting.faces.settings import Cropping

Row = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CropJob:
    """The work of one crop job.

    `results` is the results folder, `root` the folder of the database's frames, `source` is `raw`
    or `cropped` (the frames are the provider's crops).
    """

    results: Path
    crop: str
    database: str
    root: Path
    source: str
    settings: Cropping

    @property
    def folder(self) -> Path:
        """The folder of the crops of all databases; a sample's name is a path below it."""
        return self.results / "faces" / self.crop


def crop_sample(job: CropJob, rows: list[Row], detector: Detector | None) -> list[Row]:
    """Crop the frames of a sample; the crops are written below the results folder.

    Args:
        job: what all samples of the job share.
        rows: the sample's FRAMES rows, in the order of the phases.
        detector: None where the pictures are taken whole.

    Returns:
        For each row a FACES row or, without `path`, an EXCLUDED row that lacks its `table_row`.
    """
    return _whole_pictures(job, rows) if detector is None else _around_faces(job, rows, detector)


def _whole_pictures(job: CropJob, rows: list[Row]) -> list[Row]:
    """The whole pictures, resized where the settings say so."""
    provided = job.settings.provided(job.source)
    detector = outcomes.PROVIDER if provided else outcomes.NONE
    outcome = "provider's crop" if provided else "whole picture"
    found = {"confidence": "", "detector": detector, "outcome": outcome, "eye_distance": ""}
    cutter = _Cutter(job.settings)

    def make(row: Row) -> Row:
        image = images.read(job.root, row["path"])
        height, width = image.shape[:2]
        square = Rectangle(0, 0, width, height)
        return _write(job, row, square, *cutter.cut(row, image, square), found)

    return [_attempt(job, row, make) for row in rows]


def _around_faces(job: CropJob, rows: list[Row], detector: Detector) -> list[Row]:
    """Crops around detected faces, one box per frame or per clip."""
    settings: Any = job.settings.detector
    margin = job.settings.margin or registry.load("detector", settings.kind).MARGIN
    finder = FaceFinder(job.root, detector, settings.confidence)
    cutter = _Cutter(job.settings)

    def make(row: Row, *, donor: Row | None) -> Row:
        image, face = _image_and_face(finder, row, donor)
        square = square_around(face.box, margin)
        found = {
            "confidence": face.confidence,
            "detector": settings.kind,
            "outcome": _outcome(face, square),
            "eye_distance": _in_crop(face.eye_distance, square, job.settings.size),
        }
        return _write(job, row, square, *cutter.cut(row, image, square), found)

    donor = None
    if job.settings.box == "clip":
        donor = next((row for row in rows if finder.has_face(row["path"])), None)
    # The donor first, since the others are aligned to the first that is cut.
    ordered = sorted(rows, key=lambda row: row is not donor)
    return [_attempt(job, row, partial(make, donor=donor)) for row in ordered]


class _Cutter:
    """Cuts the box out of a sample's frames; where they are aligned, to the first that it cuts."""

    def __init__(self, settings: Cropping) -> None:
        self.settings = settings
        self.first: tuple[Row, Reference] | None = None

    def cut(self, row: Row, image: Image, square: Rectangle) -> tuple[Image, Motion | None]:
        """The pixels of a crop, which `_write` may have to resize, and how the head has moved.

        Raises:
            Unusable: a frame cannot be aligned: `not_aligned`, or `frame_size`.
        """
        if self.settings.align == "none":
            return cut(image, square), None
        if self.first is None:
            self.first = row, Reference(image, square)
            return cut(image, square), STILL
        first, reference = self.first
        name = f"the {first['phase'] or first['frame']} frame, to which it is aligned"
        if square != reference.square:
            sizes = [f"{box.x1 - box.x0} x {box.y1 - box.y0}" for box in (square, reference.square)]
            raise Unusable("frame_size", f"{sizes[0]} pixels, but {sizes[1]} in {name}")
        try:
            motion = reference.motion(image)
        except Unusable as error:
            raise Unusable(error.code, f"compared with {name}: {error.detail}") from None
        return cut_moved(image, square, motion, self.settings.size), motion


def _in_crop(length: float | None, square: Rectangle, size: int | None) -> float | str:
    """A length in pixels of the frame, in those of the crop."""
    if length is None:
        return ""
    return length if size is None else length * size / (square.x1 - square.x0)


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
    square: Rectangle,
    pixels: Image,
    motion: Motion | None,
    found: Mapping[str, object],
) -> Row:
    """Write a crop, resized where the settings say so; returns its row, with what was found."""
    path = paths.crop_path(job.crop, row["image"])
    size = job.settings.size
    resized = pixels if size is None else images.resize(pixels, size)
    digest = images.write(resized, job.results / path)
    return {
        "image": row["image"],
        "sample": row["sample"],
        "phase": row["phase"],
        "path": path,
        **{name: float(value) for name, value in square._asdict().items()},
        **found,
        "file": row["path"],
        "sha256": digest,
        "frame": row["frame"],
        **dict(zip(("shift_x", "shift_y", "roll"), motion or ("", "", ""), strict=True)),
    }
