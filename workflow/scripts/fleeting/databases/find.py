"""Where a database's table and frames are, from its block in the config.

Cheap, and without an import of anything heavy: Snakemake calls this in input functions.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fleeting.databases import reader

#: The table lies in the root or at most this many folders below it.
DEPTH = 2
#: Names that are passed over: Snakemake takes <name> in any path for a variable of its own.
MARKED = re.compile("[<>]")


def table(root: Path, database: str) -> Path | None:
    """The newest table of the database below `root`, or None if there is none. Never raises."""
    return next(iter(tables(root, database)), None)


def tables(root: Path, database: str) -> list[Path]:
    """All files that can be the table, the newest first.

    Those called coding, coded or codes come first; then by the latest date in the name, the highest
    version, and `(Updated)`; among equals the one nearest to the root, then by path. Links that
    leave the root are not followed, and names with < or > are passed over.
    """
    pattern = reader.load(database).TABLE_NAME
    found = [path for path in _files(root) if pattern.fullmatch(path.name.casefold())]
    ordered = sorted(found, key=lambda path: (len(path.parts), path))
    return sorted(ordered, key=_age, reverse=True)


def frames_root(settings: Mapping[str, str]) -> Path:
    """The folder below which frames are searched: `frames`, or else the whole `root`."""
    return Path(settings["frames"] if "frames" in settings else settings["root"])


def _age(path: Path) -> tuple[bool, str, int, bool]:
    name = path.stem.casefold()
    dates = re.findall(r"(?<![0-9])(?:19|20)[0-9]{6}(?![0-9])", name)
    versions = re.findall(r"(?<![a-z])v([0-9]{1,4})(?![0-9])", name)
    version = max(map(int, versions), default=0)
    # All tables as published are called coding, coded or codes; notes of one's own are not.
    return "cod" in name, max(dates, default=""), version, "updated" in name


def _files(root: Path) -> Iterator[Path]:
    inside = os.path.realpath(root)
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if MARKED.search(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEPTH:
                            waiting.append((Path(entry.path), depth + 1))
                    # `~$...` and `._...` are what office programs and macOS leave beside a file.
                    elif not entry.name.startswith(("~", ".")) and _is_inside(entry.path, inside):
                        yield Path(entry.path)
        except OSError:
            continue


def _is_inside(path: str, root: str) -> bool:
    target = Path(os.path.realpath(path))
    return target.is_file() and target.is_relative_to(root)
