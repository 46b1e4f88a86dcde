"""The crop job of one subject: every frame becomes a crop or a row that says why not."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from fleeting import paths, registry, tsv
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.faces.box import Square, cut, resize, square_around
from fleeting.faces.detection import Image
from fleeting.faces.finder import Face, Finder
from fleeting.faces.images import Unusable
from fleeting.faces.settings import Cropping

Row = dict[str, Any]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What one crop job works on.

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
    crops: Path,
) -> None:
    """Crop the faces of one subject's frames.

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
        crops: folder of the crops, replaced.
    """
    block = Cropping.model_validate(
        {key: value for key, value in settings.items() if key != "frames"}
    )
    job = Job(results, crop, database, subject, root, source, block, weights)
    if crops.absolute() != job.folder.absolute():
        raise UserError(f"--crops {crops}: the folder of this job is {job.folder}")
    crop_frames(job, frames, faces, excluded)


def crop_frames(job: Job, frames: Path, faces: Path, excluded: Path) -> None:
    """Crop the frames of the table `frames` and write the tables `faces` and `excluded`.

    What an earlier run left in the job's folder is removed first.
    """
    rows = _rows(job, frames)
    if job.folder.exists():
        shutil.rmtree(job.folder)
    job.folder.mkdir(parents=True)
    if job.settings.provided(job.source):
        results = _whole(job, rows, "provider", "provider's crop")
    elif job.settings.detects(job.source):
        results = _detected(job, rows)
    else:
        results = _whole(job, rows, "none", "whole picture")
    results.sort(key=lambda row: str(row["image"]))
    kept = [row for row in results if "path" in row]
    left_out = [row for row in results if "path" not in row]
    tsv.write_rows(kept, faces, tsv.FACES)
    tsv.write_rows(left_out, excluded, tsv.EXCLUDED_FRAMES)
    for row in left_out:
        logger.info("%s: %s, %s", row["image"], row["reason"], row["detail"])
    logger.info("%s/%s: %d of %d images cropped", job.database, job.subject, len(kept), len(rows))


def _rows(job: Job, frames: Path) -> list[Row]:
    """The table's rows, checked, sorted by sample and phase; images' names become paths."""
    rows: list[Row] = [*tsv.read_rows(frames, tsv.FRAMES)]
    seen = set()
    for line, row in enumerate(rows, start=2):
        image, sample = row["image"], row["sample"]
        parts = image.split("/")
        inside = parts[:2] == [job.database, job.subject] and image.startswith(f"{sample}/")
        if not inside or len(parts) != 5 or not all(map(paths.is_safe_name, parts)):
            raise UserError(
                f"{frames}, line {line}: {image!r} is not the name of an image of "
                f"{job.database}/{job.subject}; rerun with `-R select_frames`"
            )
        if image in seen:
            raise UserError(
                f"{frames}, line {line}: {image} is there twice; rerun with `-R select_frames`"
            )
        seen.add(image)
    order = {phase: place for place, phase in enumerate(tsv.PHASES)}
    # Images without a phase keep the order in which their selection lists them.
    return sorted(rows, key=lambda row: (row["sample"], order.get(row["phase"], len(order))))


def _whole(job: Job, rows: list[Row], detector: str, outcome: str) -> list[Row]:
    """The pictures as they are, resized where the settings say so; nothing is detected."""

    def keep(row: Row) -> Row:
        image = images.read(job.root, row["path"])
        digest = _write(job, row, image)
        height, width = image.shape[:2]
        return _face_row(job, row, (0, 0, width, height), "", detector, outcome, digest)

    return [_attempt(job, row, keep) for row in rows]


def _detected(job: Job, rows: list[Row]) -> list[Row]:
    """Crops around detected faces, one box per frame or per clip."""
    if not rows:
        return []
    settings: Any = job.settings.detector
    module = registry.load("detector", settings.kind)
    if job.weights is None and module.SOURCE is not None:
        raise UserError(f"crops.{job.crop}.detector: {settings.kind} needs its weights (--weights)")
    margin = job.settings.margin or module.MARGIN
    finder = Finder(job.root, module.load(job.weights, settings), settings.confidence)

    def crop(row: Row, *, box_of: Row | None) -> Row:
        image, face = _face(finder, row, box_of)
        square = square_around(face.box, margin)
        digest = _write(job, row, cut(image, square))
        corners = (square.x0, square.y0, square.x1, square.y1)
        outcome = _outcome(face, square)
        return _face_row(job, row, corners, face.confidence, settings.kind, outcome, digest)

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
    donor = f"{box_of['phase'] or box_of['frame']} frame"
    if (width, height) != (face.width, face.height):
        raise Unusable(
            "frame_size",
            f"{width} x {height} pixels, but the box is of the {donor} of "
            f"{face.width} x {face.height}",
        )
    borrowed = f"box of the {donor}"
    own = finder.found.get(row["path"])
    missed = isinstance(own, Unusable) and own.code == "no_face"
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
            "code": error.code,
            "reason": error.code.replace("_", " "),
            "detail": f"{row['path']}: {error.detail}",
        }
    except Exception:
        logger.error("Stopped at %s, file %s.", row["image"], row["path"])
        raise


def _write(job: Job, row: Row, image: Image) -> str:
    """Write a crop; returns the sha256 of its file."""
    target = job.results / paths.crop_path(job.crop, row["image"])
    size = job.settings.size
    images.write(image if size is None else resize(image, size), target)
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
    return {
        "image": row["image"],
        "sample": row["sample"],
        "phase": row["phase"],
        "path": paths.crop_path(job.crop, row["image"]),
        **dict(zip(("x0", "y0", "x1", "y1"), map(float, corners), strict=True)),
        "confidence": confidence,
        "detector": detector,
        "outcome": outcome,
        "file": row["path"],
        "sha256": digest,
    }
