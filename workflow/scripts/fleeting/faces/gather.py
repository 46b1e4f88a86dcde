"""The crops of a database: its subjects' tables concatenated, and the share of faces found."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path

from fleeting import losses, tsv
from fleeting.errors import UserError
from fleeting.faces.outcomes import hits

Row = dict[str, str]

log = logging.getLogger(__name__)


def run(
    *,
    crop: str,
    database: str,
    folder: Path,
    subjects: Path,
    frames: Path,
    accept_losses: bool,
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
        accept_losses: go on where most images could not be cropped.
        faces: table of the crops, written.
        excluded: table of the images without a crop, written.
    """
    cropped, uncropped = gather(folder, subjects, frames)
    tsv.write_rows(cropped, faces, tsv.FACES)
    tsv.write_rows(uncropped, excluded, tsv.EXCLUDED)
    report(cropped, uncropped, database)
    warn(cropped, uncropped, database, crop, accept_losses)


def gather(folder: Path, subjects: Path, frames: Path) -> tuple[list[Row], list[Row]]:
    """Concatenate the tables of the subjects' crop jobs.

    Args:
        folder: holds `{subject}.tsv` and `{subject}.excluded.tsv` of the crop jobs.
        subjects: holds the `{subject}.tsv` of the frames stage; its files name the subjects.
        frames: the database's table of frames, which has the `table_row` of each image.

    Returns:
        The FACES and the EXCLUDED rows, sorted by image.

    Raises:
        UserError: a table is missing, or the tables do not account for every frame.
    """
    faces: list[Row] = []
    excluded: list[Row] = []
    for subject in sorted(path.stem for path in subjects.glob("[!.]*.tsv")):
        faces += tsv.read_rows(folder / f"{subject}.tsv", tsv.FACES)
        excluded += tsv.read_rows(folder / f"{subject}.excluded.tsv", tsv.EXCLUDED_FRAMES)
    table_rows = {row["image"]: row["table_row"] for row in tsv.read_rows(frames, tsv.FRAMES)}
    if sorted(table_rows) != sorted(row["image"] for row in [*faces, *excluded]):
        raise UserError(
            f"the tables in {folder} do not account for the images of {frames}; "
            "rerun with `-R crop`"
        )
    numbered = [{**row, "table_row": table_rows[row["image"]]} for row in excluded]
    return sorted(faces, key=itemgetter("image")), sorted(numbered, key=itemgetter("image"))


def warn(
    faces: Sequence[Row], excluded: Sequence[Row], database: str, crop: str, accepted: bool
) -> None:
    """Warn of images that could not be cropped, with the likely cause.

    Raises:
        UserError: most could not be, or none, see `losses.check`.
    """
    remedies = {
        "no_face": f"Look at these frames; then lower crops.{crop}.detector.confidence, choose "
        "another detector there, or, where they are the provider's crops, set "
        f"databases.{database}.source: cropped and crops.{crop}.provider_crops: keep.",
        "dark_picture": "A camera of 10 or 12 bits may have written 16-bit files in which only "
        "the lower bits are used: scale these up, to the full range, and save the frames again.",
        "unreadable_image": "Copy or unpack these files again.",
    }
    losses.check(
        database, "images", excluded, len(faces), accepted, lambda code: remedies.get(code, "")
    )


def report(faces: Sequence[Row], excluded: Sequence[Row], database: str) -> None:
    """Log the hit rate of a database."""
    codes = [row["code"] for row in excluded]
    outcomes = [row["outcome"] for row in faces]
    searched, found = hits((row["detector"] for row in faces), outcomes, codes)
    if searched:
        share = 100 * found / searched
        log.info("%s: a face in %d of %d images (%.1f%%)", database, found, searched, share)
    for code, count in _counted(codes):
        log.info("%s: %d images excluded, %s", database, count, code)
    for outcome, count in _counted(outcomes):
        log.info("%s: %d crops, %s", database, count, outcome)


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    """The count of each value, sorted by value."""
    return sorted(Counter(values).items())
