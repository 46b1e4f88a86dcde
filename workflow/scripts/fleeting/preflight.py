"""Obstacles to writing results: a job that meets one may be unable to log it."""

import locale
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

#: Warn below this free space, in bytes: the larger models would not fit.
LEAST_FREE = 100 * 10**6


def unquotable(places: Iterable[str]) -> str | None:
    """Why a place cannot be part of a cluster's command; None: all of them can.

    Snakemake quotes them with `repr`, which puts text with an apostrophe into double quotes, inside
    which a shell still expands.
    """
    for place in places:
        if "'" in place and set(place).intersection('$`"\\'):
            return (
                f'{place}: an apostrophe beside one of $ ` " \\ cannot be quoted in the commands '
                "that Snakemake writes for a cluster; rename the folder or file"
            )
    return None


def foreign_encoding() -> str | None:
    """Why names and comments in other scripts would end a run; None: they are read as UTF-8."""
    encoding = locale.getpreferredencoding(False)
    if encoding.casefold() in ("utf-8", "utf8"):
        return None
    return (
        f"the locale's encoding is {encoding}, in which not every name and comment can be read; "
        "give `export PYTHONUTF8=1` before the command"
    )


def nearest_existing(path: Path) -> Path:
    """The path if it exists, or else the nearest folder above it that does."""
    path = path.absolute()
    while not os.path.lexists(path):
        path = path.parent
    return path


def unwritable(folder: Path) -> str | None:
    """Why nothing can be written below a folder, which need not exist yet; None: it can be."""
    if os.access(nearest_existing(folder), os.W_OK | os.X_OK):
        return None
    return (
        f"{folder} cannot be written to: it belongs to somebody else, or its file system is "
        "mounted read-only. Fix that, or name another folder under `results:` in the config."
    )


def obstacle(folder: Path) -> str | None:
    """Why writing below a folder fails, or may have failed; None: nothing is in the way."""
    if found := unwritable(folder):
        return found
    free = shutil.disk_usage(nearest_existing(folder)).free
    if free < LEAST_FREE:
        return (
            f"only {free / 1e6:.1f} MB are free on the disk of {folder}: a job may fail, or have "
            "failed, for lack of space. Free some, or name another folder under `results:` in the "
            "config. Then run the same command again: finished jobs stay finished."
        )
    return None
