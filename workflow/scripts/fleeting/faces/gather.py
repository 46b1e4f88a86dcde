"""The crops of a database: its subjects' tables put together, and the share of faces found."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleeting import tables
from fleeting.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    Columns = Mapping[str, Iterable[str]] | pd.DataFrame

Row = dict[str, str]

logger = logging.getLogger(__name__)


def gather(folder: Path, subjects: Path, frames_table: Path) -> tuple[list[Row], list[Row]]:
    """Put the tables of the subjects' crop jobs together.

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
        kept = tables.read_rows(folder / frames.name, tables.FACES)
        left_out = tables.read_rows(folder / f"{frames.stem}.excluded.tsv", tables.EXCLUDED_FRAMES)
        wanted = sorted(map(_image, tables.read_rows(frames, tables.FRAMES)))
        if wanted != sorted(map(_image, [*kept, *left_out])):
            raise UserError(
                f"{folder / frames.name} does not account for the images of {frames}; delete it "
                "and run the faces stage again"
            )
        faces += kept
        excluded += left_out
    schema = {**tables.FRAMES, "table_row": tables.INTEGER}
    numbers = {row["image"]: row["table_row"] for row in tables.read_rows(frames_table, schema)}
    numbered = [{**row, "table_row": numbers.get(row["image"], "")} for row in excluded]
    return sorted(faces, key=_image), sorted(numbered, key=_image)


def hits(faces: "Columns", excluded: "Columns") -> tuple[int, int]:
    """How many images were handed to the detector, and in how many it found a face.

    A provider's crop is not handed to it, nor is an image that takes another frame's box at once.
    An image in which it found none may still have taken another frame's box.

    Args:
        faces: the columns `detector` and `outcome` of FACES.
        excluded: the column `reason` of EXCLUDED.
    """
    pairs = zip(faces["detector"], faces["outcome"], strict=True)
    own = [outcome for detector, outcome in pairs if detector != "provider"]
    found = sum(not outcome.startswith(("box of", "no face")) for outcome in own)
    missed = sum(outcome.startswith("no face") for outcome in own)
    missed += sum(reason == "no_face" for reason in excluded["reason"])
    return found + missed, found


def report(faces: Sequence[Row], excluded: Sequence[Row], database: str, crop: str) -> None:
    """Log the hit rate of a database.

    Raises:
        UserError: there are frames, but not one crop.
    """
    images = len(faces) + len(excluded)
    reasons = _column(excluded, "reason")
    if images and not faces:
        listed = ", ".join(f"{reason} {count}" for reason, count in _counted(reasons))
        raise UserError(
            f"{database}: not one of {images} images could be cropped ({listed}; for example "
            f"{excluded[0]['image']}: {excluded[0]['detail']}). Look at the frames; then "
            f"lower crops.{crop}.detector.confidence, choose another detector there, or, where "
            f"they are the provider's crops, set databases.{database}.source: cropped and "
            f"crops.{crop}.provider_crops: keep."
        )
    detectors, outcomes = _column(faces, "detector"), _column(faces, "outcome")
    provided = detectors.count("provider")
    searched, found = hits({"detector": detectors, "outcome": outcomes}, {"reason": reasons})
    if searched:
        share = 100 * found / searched
        logger.info("%s: a face in %d of %d images (%.1f%%)", database, found, searched, share)
    if provided:
        logger.info("%s: %d provider's crops used whole", database, provided)
    for reason, count in _counted(reasons):
        logger.info("%s: %d images left out, %s", database, count, reason)
    for outcome, count in _counted(outcomes):
        logger.info("%s: %d crops, %s", database, count, outcome)


def _image(row: Row) -> str:
    return row["image"]


def _column(rows: Sequence[Row], name: str) -> list[str]:
    return [row[name] for row in rows]


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    """How often each value is there, sorted by value."""
    return sorted(Counter(values).items())
