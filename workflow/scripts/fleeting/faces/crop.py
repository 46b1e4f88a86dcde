"""The crop job of one subject: every frame becomes a crop or a row that says why not."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from fleeting import paths, registry, tables
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.faces.box import Square, cut, resize, square_around
from fleeting.faces.detection import Image
from fleeting.faces.finder import Face, Finder
from fleeting.faces.images import Unusable
from fleeting.faces.settings import CropSettings

Row = dict[str, Any]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What one crop job works on.

    `root` is the folder of the database's frames, `folder` takes the crops, `source` is `raw` or
    `cropped` (the frames are the provider's crops), `weights` is a file or a folder (None is
    enough where nothing is detected).
    """

    crop: str
    database: str
    subject: str
    root: Path
    folder: Path
    source: str
    settings: CropSettings
    weights: Path | None


def run(job: Job, frames: Path, faces: Path, excluded: Path) -> None:
    """Crop the frames of the table `frames` and write the tables `faces` and `excluded`.

    What an earlier run left in the job's folder is removed first.
    """
    rows = _rows(job, frames)
    if job.folder.exists():
        shutil.rmtree(job.folder)
    job.folder.mkdir(parents=True)
    keep = job.source == "cropped" and job.settings.provider_crops == "keep"
    results = sorted(_whole(job, rows) if keep else _detected(job, rows), key=_image)
    kept = [row for row in results if "path" in row]
    left_out = [row for row in results if "path" not in row]
    tables.write_rows(kept, faces, tables.FACES)
    tables.write_rows(left_out, excluded, tables.EXCLUDED_FRAMES)
    for row in left_out:
        logger.info("%s: %s, %s", row["image"], row["reason"], row["detail"])
    logger.info("%s/%s: %d of %d images cropped", job.database, job.subject, len(kept), len(rows))


def _rows(job: Job, frames: Path) -> list[Row]:
    """The table's rows, checked, sorted by sample and phase."""
    rows: list[Row] = [*tables.read_rows(frames, tables.FRAMES)]
    seen = set()
    for line, row in enumerate(rows, start=2):
        parts = row["image"].split("/")
        expected = [job.database, job.subject, *parts[2:4], row["phase"]]
        if len(parts) != 5 or parts != expected or not all(map(paths.is_safe_name, parts)):
            raise UserError(
                f"{frames}, line {line}: {row['image']!r} is not the name of an image of "
                f"{job.database}/{job.subject}; delete the table and run the frames stage again"
            )
        if row["image"] in seen:
            raise UserError(f"{frames}, line {line}: {row['image']} stands there twice")
        seen.add(row["image"])
    return sorted(rows, key=lambda row: (row["sample"], tables.PHASES.index(row["phase"])))


def _image(row: Row) -> str:
    return str(row["image"])


def _whole(job: Job, rows: list[Row]) -> list[Row]:
    """The provider's crops as they are, resized; nothing is detected."""

    def keep(row: Row) -> Row:
        image = images.read(job.root, row["path"])
        digest = _write(job, row, image)
        height, width = image.shape[:2]
        corners = (0, 0, width, height)
        return _face_row(job, row, corners, "", "provider", "provider's crop", digest)

    return [_attempt(job, row, keep) for row in rows]


def _detected(job: Job, rows: list[Row]) -> list[Row]:
    """Crops around detected faces, one box a frame or one a clip."""
    if not rows:
        return []
    name = str(job.settings.detector.get("name"))
    module = registry.load("detector", name)
    if job.weights is None:
        raise UserError(f"crops.{job.crop}.detector: {name} needs its weights (--weights)")
    detector = module.load(job.weights, job.settings.detector)
    margin = job.settings.margin or module.MARGIN
    finder = Finder(job.root, detector, job.settings.confidence)

    def crop(row: Row, *, box_of: Row | None) -> Row:
        image, face = _face(finder, row, box_of)
        square = square_around(face.box, margin)
        digest = _write(job, row, cut(image, square))
        corners = (square.x0, square.y0, square.x1, square.y1)
        outcome = _outcome(face, square)
        return _face_row(job, row, corners, face.confidence, name, outcome, digest)

    results = []
    for _, group in groupby(rows, key=lambda row: row["sample"]):
        clip = list(group)
        box_of = None
        if job.settings.box == "clip":
            index = finder.first_face([row["path"] for row in clip])
            box_of = None if index is None else clip[index]
        results += [_attempt(job, row, partial(crop, box_of=box_of)) for row in clip]
    return results


def _face(finder: Finder, row: Row, box_of: Row | None) -> tuple[Image, Face]:
    """A frame and its face: detected in it, or, with `box_of`, in that row's frame."""
    if box_of is None or box_of is row:
        face = finder.face(row["path"])
        return finder.read(row["path"]), face
    face = finder.face(box_of["path"])
    image = finder.read(row["path"])
    height, width = image.shape[:2]
    if (width, height) != (face.width, face.height):
        raise Unusable(
            "frame_size",
            f"{width} x {height} pixels, but the box is of the {box_of['phase']} frame of "
            f"{face.width} x {face.height}",
        )
    borrowed = f"box of the {box_of['phase']} frame"
    own = finder.found.get(row["path"])
    missed = isinstance(own, Unusable) and own.reason == "no_face"
    return image, replace(face, outcome=f"no face, {borrowed}" if missed else borrowed)


def _outcome(face: Face, square: Square) -> str:
    """What the table says of a crop, for example `largest of 2 faces, face cut by the border`."""
    if face.cut:
        cut_off = "face cut by the border"
        return cut_off if face.outcome == "face" else f"{face.outcome}, {cut_off}"
    if square.leaves(face.width, face.height):
        return f"{face.outcome}, margin beyond the border"
    return face.outcome


def _attempt(job: Job, row: Row, make: Callable[[Row], Row]) -> Row:
    """What `make` returns for the row, or the row that excludes it."""
    try:
        return make(row)
    except Unusable as error:
        return {
            "database": job.database,
            "sample": row["sample"],
            "image": row["image"],
            "stage": "faces",
            "reason": error.reason,
            "detail": f"{row['path']}: {error.detail}",
        }
    except Exception:
        logger.error("Stopped at %s, file %s.", row["image"], row["path"])
        raise


def _write(job: Job, row: Row, image: Image) -> str:
    """Write a crop; returns the sha256 of its file."""
    _, _, clip, onset, phase = row["image"].split("/")
    target = job.folder / clip / onset / f"{phase}.png"
    images.write(resize(image, job.settings.size), target)
    return paths.sha256(target)


def _face_row(
    job: Job,
    row: Row,
    corners: tuple[int, int, int, int],
    confidence: float | str,
    detector: str,
    outcome: str,
    digest: str,
) -> Row:
    box = dict(zip(("x0", "y0", "x1", "y1"), map(float, corners), strict=True))
    path = paths.crop_path(job.crop, row["image"])
    found = {"confidence": confidence, "detector": detector, "outcome": outcome}
    source = {"file": row["path"], "sha256": digest}
    return {"image": row["image"], "path": path, **box, **found, **source}
