"""Decode the crops of a fold once for all its runs."""

import hashlib
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from fleeting import tables
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.training import packed


def pack(table: Path, results: Path) -> packed.Pixels:
    """Decode the images of a table, checked against the table's hashes.

    Args:
        table: a table of images (`tables.IMAGES`).
        results: the folder that the table's paths are relative to.

    Returns:
        (N, height, width, 3) uint8 in the order of the rows.
    """
    rows = tables.read_rows(table, tables.IMAGES)
    if not rows:
        raise UserError(f"{table}: the table lists no image")
    first = _decode(results, rows[0])
    pixels = np.empty((len(rows), *first.shape), np.uint8)
    for position, row in enumerate(rows):
        image = _decode(results, row)
        if image.shape != first.shape:
            raise UserError(
                f"{results / row['path']}: not of the other crops' size; give your command again "
                "with `-R crop`"
            )
        pixels[position] = image
    return pixels


def _decode(results: Path, row: dict[str, str]) -> packed.Pixels:
    """An (H, W, 3) uint8 image in red, green and blue; no path leads out of the results."""
    path = results / row["path"]
    inside = PurePosixPath(row["path"])
    if inside.is_absolute() or ".." in inside.parts or not path.is_file():
        raise UserError(f"{path}: the crop is missing; give your command again with `-R crop`")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise UserError(
            f"{path}: the crop changed after it was made; give your command again with `-R crop`"
        )
    try:
        image = images.decode(content)
    except images.Unusable as error:
        raise UserError(
            f"{path}: not a readable image ({error.detail}); delete its folder and run again"
        ) from None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
