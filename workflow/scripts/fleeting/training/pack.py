"""Decode the crops of a fold once for all its runs."""

from pathlib import Path

import cv2
import numpy as np

from fleeting import tables
from fleeting.errors import UserError
from fleeting.paths import sha256
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
    first = _decode(results / rows[0]["path"], rows[0]["sha256"])
    pixels = np.empty((len(rows), *first.shape), np.uint8)
    for position, row in enumerate(rows):
        path = results / row["path"]
        image = _decode(path, row["sha256"])
        if image.shape != first.shape:
            raise UserError(
                f"{path}: not of the other crops' size; give your command again with `-R crop`"
            )
        pixels[position] = image
    return pixels


def _decode(path: Path, digest: str) -> packed.Pixels:
    """An (H, W, 3) uint8 image in red, green and blue."""
    if not path.is_file() or ".." in path.parts:
        raise UserError(f"{path}: the crop is missing; give your command again with `-R crop`")
    if sha256(path) != digest:
        raise UserError(
            f"{path}: the crop changed after it was made; give your command again with `-R crop`"
        )
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError(f"{path}: not a readable image; delete its folder and run again")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
