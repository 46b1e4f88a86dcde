"""Crops of an earlier run, which a job keeps unless something that they depend on has changed.

Snakemake removes what a rule declares before its job runs again, and a job of many samples would
then crop all of them for a new one. So the crops are not declared: the folder of each sample has a
file, written last, with the sample's rows and the sha256 of all that its crops depend on.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fleeting.errors import Unusable
from fleeting.faces import images
from fleeting.files import write_text
from fleeting.paths import sha256

Row = dict[str, Any]

#: The file in the folder of a sample.
FILE_NAME = "crops.json"


def digest_of(value: object) -> str:
    """The sha256 of a value that JSON can express."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def key_of(shared: str, root: Path, rows: Sequence[Row]) -> str:
    """The sha256 of all that the crops of a sample depend on.

    Args:
        shared: the digest of what holds for all samples of a job, such as settings and code.
        root: the folder of the database's frames.
        rows: the sample's FRAMES rows. The bytes of their files count; the row of the database's
            table does not, since a row added to that table moves those below it.
    """
    frames = [
        [row["image"], row["phase"], row["frame"], row["path"], _digest(root, row["path"])]
        for row in rows
    ]
    return digest_of([shared, frames])


def _digest(root: Path, relative: str) -> str:
    try:
        return hashlib.sha256(images.read_bytes(root, relative)).hexdigest()
    except Unusable as error:
        return error.code


def load(folder: Path, key: str, results: Path) -> list[Row] | None:
    """The rows of a finished sample; None where it must be cropped.

    Args:
        folder: the sample's.
        key: see `key_of`.
        results: the results folder, which the paths of crops are relative to.
    """
    try:
        saved = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if saved["key"] != key:
            return None
        rows: list[Row] = saved["rows"]
        crops = [row for row in rows if "path" in row]
        whole = all(sha256(results / row["path"]) == row["sha256"] for row in crops)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rows if whole else None


def save(folder: Path, key: str, rows: Sequence[Row]) -> None:
    """Record that a sample is finished.

    One with a frame that could not be read gets no key, so that it is tried again: why it could not
    be read, a key does not say.
    """
    unreadable = any(row.get("code") == "unreadable_image" for row in rows)
    record = {"key": "" if unreadable else key, "rows": rows}
    write_text(json.dumps(record, indent=1), folder / FILE_NAME)


def remove_others(folder: Path, kept: Iterable[Path]) -> None:
    """Remove all files below a folder but those to be kept, and then its empty folders.

    Files are told by their place on the disk, since some file systems ignore the case of names.
    Links to folders stay as they are.
    """
    places = {(found.st_dev, found.st_ino) for found in map(Path.stat, kept)}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):  # a link, or not empty
                path.rmdir()
        elif (found := path.lstat()) and (found.st_dev, found.st_ino) not in places:
            path.unlink(missing_ok=True)
