"""The crops of a database counted: the share of faces found, and a warning of images lost."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleeting import losses
from fleeting.faces.outcomes import hits

Row = Mapping[str, Any]

log = logging.getLogger(__name__)


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
        "not_aligned": "Look at these frames: the upper face must be seen in them and in the first "
        f"frame of their clip. Then set crops.{crop}.align: none where it is not.",
        "unreadable_image": "Copy or unpack these files again.",
    }
    losses.check(
        database, "images", excluded, len(faces), accepted, lambda code: remedies.get(code, "")
    )


def log_hit_rate(faces: Sequence[Row], excluded: Sequence[Row], database: str) -> None:
    """Log in how many images of a database a face was found, and what became of the others."""
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
