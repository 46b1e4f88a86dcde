"""The crops of a database: its subjects' tables put together, and the share of faces found."""

import logging
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError

logger = logging.getLogger(__name__)


def gather(folder: Path, subjects: Path, frames_table: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    faces, excluded = [], []
    for frames in sorted(subjects.glob("[!.]*.tsv")):
        kept = tables.read(folder / frames.name, tables.FACES)
        left_out = tables.read(folder / f"{frames.stem}.excluded.tsv", tables.EXCLUDED_FRAMES)
        wanted = sorted(tables.read(frames, tables.FRAMES)["image"])
        if wanted != sorted([*kept["image"], *left_out["image"]]):
            raise UserError(
                f"{folder / frames.name} does not account for the images of {frames}; delete it "
                "and run the faces stage again"
            )
        faces.append(kept)
        excluded.append(left_out)
    rows = tables.read(frames_table, tables.FRAMES).set_index("image")["table_row"]
    whole = _together(excluded, tables.EXCLUDED_FRAMES)
    whole.insert(1, "table_row", whole["image"].map(rows))
    return _together(faces, tables.FACES), whole


def hits(faces: pd.DataFrame, excluded: pd.DataFrame) -> tuple[int, int]:
    """How many images were handed to the detector, and in how many it found a face.

    A provider's crop is not handed to it, nor is an image that takes another frame's box at once.
    An image in which it found none may still have taken another frame's box.
    """
    own = faces[faces["detector"] != "provider"]["outcome"]
    found = int((~own.str.startswith(("box of", "no face"))).sum())
    missed = int(own.str.startswith("no face").sum() + (excluded["reason"] == "no_face").sum())
    return found + missed, found


def report(faces: pd.DataFrame, excluded: pd.DataFrame, database: str, crop: str) -> None:
    """Log the hit rate of a database.

    Raises:
        UserError: there are frames, but not one crop.
    """
    images = len(faces) + len(excluded)
    reasons = excluded["reason"].value_counts().sort_index()
    if images and faces.empty:
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        raise UserError(
            f"{database}: not one of {images} images could be cropped ({listed}; for example "
            f"{excluded['image'].iloc[0]}: {excluded['detail'].iloc[0]}). Look at the frames; then "
            f"lower crops.{crop}.detector.confidence, choose another detector there, or, where "
            f"they are the provider's crops, set databases.{database}.source: cropped and "
            f"crops.{crop}.provider_crops: keep."
        )
    provided = int((faces["detector"] == "provider").sum())
    searched, found = hits(faces, excluded)
    if searched:
        share = 100 * found / searched
        logger.info("%s: a face in %d of %d images (%.1f%%)", database, found, searched, share)
    if provided:
        logger.info("%s: %d provider's crops used whole", database, provided)
    for reason, count in reasons.items():
        logger.info("%s: %d images left out, %s", database, count, reason)
    for outcome, count in faces["outcome"].value_counts().sort_index().items():
        logger.info("%s: %d crops, %s", database, count, outcome)


def _together(parts: list[pd.DataFrame], schema: tables.Schema) -> pd.DataFrame:
    empty = pd.DataFrame(columns=list(schema), dtype=str)
    whole = pd.concat([empty, *parts], ignore_index=True)
    return whole.sort_values("image", kind="stable", ignore_index=True)
