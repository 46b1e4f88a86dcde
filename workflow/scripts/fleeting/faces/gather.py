"""The crops of a database: its subjects' tables concatenated, and the share of faces found."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleeting import tsv
from fleeting.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    Columns = Mapping[str, Iterable[str]] | pd.DataFrame

Row = dict[str, str]

logger = logging.getLogger(__name__)

#: Values of FACES.detector where no detector ran.
NOT_DETECTED = ("provider", "none")


def run(
    *,
    crop: str,
    database: str,
    folder: Path,
    subjects: Path,
    frames: Path,
    faces: Path,
    excluded: Path,
) -> None:
    """Concatenate the tables of a database's crop jobs and log the share of faces found.

    Args:
        crop: the name of the block under `crops`.
        database: the database's name.
        folder: the crop jobs' tables.
        subjects: the subjects' tables of frames.
        frames: the database's table of frames.
        faces: table of the crops, written.
        excluded: table of the images without a crop, written.
    """
    kept, left_out = gather(folder, subjects, frames)
    tsv.write_rows(kept, faces, tsv.FACES)
    tsv.write_rows(left_out, excluded, tsv.EXCLUDED)
    report(kept, left_out, database, crop)


def gather(folder: Path, subjects: Path, frames_table: Path) -> tuple[list[Row], list[Row]]:
    """Concatenate the tables of the subjects' crop jobs.

    Args:
        folder: holds `{subject}.tsv` and `{subject}.excluded.tsv` of the crop jobs.
        subjects: holds the `{subject}.tsv` of the frames stage; its files name the subjects.
        frames_table: the database's table of frames, which has the `table_row` of each sample.

    Returns:
        The FACES and the EXCLUDED rows, sorted by image.

    Raises:
        UserError: a table is missing, or a frame is neither in the one nor in the other.
    """
    faces: list[Row] = []
    excluded: list[Row] = []
    for frames in sorted(subjects.glob("[!.]*.tsv")):
        kept = tsv.read_rows(folder / frames.name, tsv.FACES)
        left_out = tsv.read_rows(folder / f"{frames.stem}.excluded.tsv", tsv.EXCLUDED_FRAMES)
        wanted = sorted(map(_image, tsv.read_rows(frames, tsv.FRAMES)))
        if wanted != sorted(map(_image, [*kept, *left_out])):
            raise UserError(
                f"{folder / frames.name} does not account for the images of {frames}; "
                "rerun with `-R crop`"
            )
        faces += kept
        excluded += left_out
    schema = {**tsv.FRAMES, "table_row": tsv.INTEGER}
    numbers = {row["image"]: row["table_row"] for row in tsv.read_rows(frames_table, schema)}
    numbered = [{**row, "table_row": numbers.get(row["image"], "")} for row in excluded]
    return sorted(faces, key=_image), sorted(numbered, key=_image)


def hits(faces: "Columns", excluded: "Columns") -> tuple[int, int]:
    """How many images were handed to the detector, and in how many it found a face.

    A picture that is taken whole is not handed to it, nor is an image that takes another frame's
    box at once. An image in which it found none may still have taken another frame's box.

    Args:
        faces: the columns `detector` and `outcome` of FACES.
        excluded: the column `code` of EXCLUDED.
    """
    pairs = zip(faces["detector"], faces["outcome"], strict=True)
    own = [outcome for detector, outcome in pairs if detector not in NOT_DETECTED]
    found = sum(not outcome.startswith(("box of", "no face")) for outcome in own)
    missed = sum(outcome.startswith("no face") for outcome in own)
    missed += sum(code == "no_face" for code in excluded["code"])
    return found + missed, found


def report(faces: Sequence[Row], excluded: Sequence[Row], database: str, crop: str) -> None:
    """Log the hit rate of a database.

    Raises:
        UserError: there are frames, but not one crop.
    """
    images = len(faces) + len(excluded)
    codes = _column(excluded, "code")
    if images and not faces:
        listed = ", ".join(f"{code} {count}" for code, count in _counted(codes))
        raise UserError(
            f"{database}: not one of {images} images could be cropped ({listed}; for example "
            f"{excluded[0]['image']}: {excluded[0]['detail']}). Look at the frames; then "
            f"lower crops.{crop}.detector.confidence, choose another detector there, or, where "
            f"they are the provider's crops, set databases.{database}.source: cropped and "
            f"crops.{crop}.provider_crops: keep."
        )
    detectors, outcomes = _column(faces, "detector"), _column(faces, "outcome")
    searched, found = hits({"detector": detectors, "outcome": outcomes}, {"code": codes})
    if searched:
        share = 100 * found / searched
        logger.info("%s: a face in %d of %d images (%.1f%%)", database, found, searched, share)
    for code, count in _counted(codes):
        logger.info("%s: %d images excluded, %s", database, count, code)
    for outcome, count in _counted(outcomes):
        logger.info("%s: %d crops, %s", database, count, outcome)


def _image(row: Row) -> str:
    return row["image"]


def _column(rows: Sequence[Row], name: str) -> list[str]:
    return [row[name] for row in rows]


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    """How often each value is there, sorted by value."""
    return sorted(Counter(values).items())
