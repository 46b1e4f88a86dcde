"""Files that are whole or absent, whatever happens while they are written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The ending of a file until it is whole, after a dot, its name and a random part.
UNFINISHED = ".unfinished"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces `path` when the block succeeds.

    The content is on the disk before it gets its name, so that a crash of the machine leaves no
    empty file under that name. Renaming within a folder is atomic on shared file systems too, and
    the temporary path is this process's own, even if a lost job elsewhere still writes the same
    file. If the block fails, nothing is left behind and `path` stays as it was.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    # A name that takes all of a file system's 255 bytes is cut: the random part tells it apart.
    name = path.name.encode()[:200].decode(errors="ignore")
    unfinished = path.with_name(f".{name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        yield unfinished
        _to_disk(unfinished)
        unfinished.replace(path)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(unfinished)):
            error.filename = str(path)
        raise


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file, whole or not at all."""
    with whole(path) as unfinished:
        unfinished.write_bytes(content)


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    write_bytes(text.encode(), path)


def remove_unfinished(folder: Path) -> None:
    """Remove leftovers of killed processes from a folder that no other process writes to now."""
    for left in folder.glob(f".*{UNFINISHED}"):
        left.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
