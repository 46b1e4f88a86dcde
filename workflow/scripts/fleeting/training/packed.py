"""The pixels of a table's images in one file, `{table}.npy`, and its record, `{table}.json`.

The array is mapped: a run copies its own rows out of it. It is too large for Snakemake to compare;
runs depend on the record, whose bytes change exactly when the array's do.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fleeting.errors import UserError
from fleeting.files import whole, write_text
from fleeting.paths import sha256

AGAIN = "give your command again with `-R pack_images`"
#: (N, height, width, 3): red, green and blue, in the order of the table's rows.
Pixels = NDArray[np.uint8]


def write(pixels: Pixels, table: Path) -> None:
    """Write the packed images of a table and then their record, each whole or not at all."""
    array, record = _places(table)
    with whole(array) as unfinished, unfinished.open("wb") as file:
        # Not `np.save`: where a disk is full, its error has no number that says so.
        header = np.lib.format.header_data_from_array_1_0(pixels)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(pixels.data)
    content = {
        "shape": list(pixels.shape),
        "sha256": sha256(array),
        "table_sha256": sha256(table),
    }
    write_text(json.dumps(content, indent=2) + "\n", record)


def read(table: Path) -> Pixels:
    """Map the packed images of a table, checked against their record.

    Raises:
        UserError: they are missing, torn, changed, or those of another table.
    """
    array, stated, of_table, shape = _record(table)
    if of_table != sha256(table):
        raise UserError(f"{array}: packed for another {table.name}; {AGAIN}")
    if stated != sha256(array):
        raise UserError(f"{array}: the packed images changed after they were made; {AGAIN}")
    pixels: Pixels = np.load(array, mmap_mode="r", allow_pickle=False)
    assert list(pixels.shape) == shape, "the hash covers the shape"
    return pixels


def digest(table: Path) -> str:
    """The sha256 of a table's packed images, as their record has it; see `read` for its errors."""
    return _record(table)[1]


def _record(table: Path) -> tuple[Path, str, str, list[int]]:
    """The array's place, and what its record says: its sha256, its table's, and its shape."""
    array, place = _places(table)
    for path in (array, place):
        if not path.is_file():
            raise UserError(f"{path}: the packed images are missing; {AGAIN}")
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        return array, record["sha256"], record["table_sha256"], record["shape"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{place}: not a whole record of packed images; {AGAIN}") from None


def _places(table: Path) -> tuple[Path, Path]:
    return table.with_suffix(".npy"), table.with_suffix(".json")
