"""Finding the file that is a database's table.

Cheap to import and to call, since Snakemake does so in input functions.
"""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from fleeting import registry
from fleeting.databases import reader
from fleeting.databases.settings import DatabaseSettings
from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: The table is in the root or at most this many folders below it.
DEPTH = 2
#: Names that are skipped: Snakemake replaces <name> in any path by the value of a variable.
MARKED = re.compile("[<>]")


def newest(root: Path, reader_name: str) -> Path | None:
    """The newest table below `root`, or None if there is none. Never raises."""
    return next(iter(versions(root, reader_name)), None)


def versions(root: Path, reader_name: str) -> list[Path]:
    """All files below `root` that can be the table of a reader's database, the newest first.

    Workbooks come before text files. Among these, those called coding, coded or codes come first;
    then by the latest date in the name, the highest version, and `(Updated)`; among equals the one
    nearest to the root, then by path. Links that leave the root are not followed, and names with <
    or > are skipped.
    """
    found = _files(root, reader.load(reader_name).TABLE_NAME)
    ordered = sorted(found, key=lambda path: (len(path.parts), path))
    return sorted(ordered, key=_preference, reverse=True)


def locate(database: str, settings: DatabaseSettings) -> Path:
    """The table to read: the given one, or the newest below the root.

    Logs which other versions the root holds.

    Raises:
        UserError: the root is missing or holds no table; the text names the accepted names.
    """
    if settings.table is not None:
        return settings.table
    root = settings.root
    assert root is not None, "settings have either a root or a table"
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; correct databases.{database}.root in the config")
    found = versions(root, settings.reader)
    if not found:
        accepted = ", ".join(reader.load(settings.reader).TABLE_EXAMPLES)
        sentences = [
            f"{root}: no table of {database} there or up to {DEPTH} folders below; names such as "
            f"{accepted} are accepted.",
            _of_others(root, settings.reader),
            _links(root),
            "Put the file there (not in a folder with < or > in its name), or give "
            f"databases.{database}.table and .frames in the config",
        ]
        raise UserError(" ".join(filter(None, sentences)))
    chosen, *others = found
    if others:
        names = ", ".join(str(path.relative_to(root)) for path in others)
        log.info("%s: took %s; also there: %s", database, chosen.name, names)
    return chosen


def of_another(name: str, reader_name: str) -> str:
    """A sentence that says whose table a file seems to be, by its name; empty if no other's."""
    for other in registry.names("reader"):
        if other != reader_name and reader.load(other).TABLE_NAME.fullmatch(name.casefold()):
            return (
                f"{name} looks like the table of {other}, and this database is read as "
                f"{reader_name}: if it is that one, set its `reader: {other}`."
            )
    return ""


def _of_others(root: Path, reader_name: str) -> str:
    """Of the tables of other databases below a folder, whose the first is, in a sentence."""
    others = (name for name in registry.names("reader") if name != reader_name)
    found = (newest(root, other) for other in others)
    return next((of_another(path.name, reader_name) for path in found if path), "")


def _links(root: Path) -> str:
    """A sentence on links in the root that lead out of it, if there are any."""
    inside = os.path.realpath(root)
    entries = sorted(entry for entry in root.iterdir() if entry.is_symlink())
    targets = {entry.name: os.path.realpath(entry) for entry in entries}
    leading = [
        f"{name} -> {target}"
        for name, target in targets.items()
        if not Path(target).is_relative_to(inside)
    ]
    if not leading:
        return ""
    return (
        f"Links that lead elsewhere are not followed ({', '.join(leading[:3])}): give the places "
        "that they lead to as `table` and `frames`."
    )


def _preference(path: Path) -> tuple[bool, bool, str, int, bool]:
    name = path.stem.casefold()
    dates = re.findall(r"(?<![0-9])(?:19|20)[0-9]{6}(?![0-9])", name)
    numbers = re.findall(r"(?<![a-z])v([0-9]{1,4})(?![0-9])", name)
    version = max(map(int, numbers), default=0)
    # All published tables are called coding, coded or codes; a user's own notes are not.
    coding = "cod" in name
    workbook = path.suffix.casefold() in (".xls", ".xlsx")
    return workbook, coding, max(dates, default=""), version, "updated" in name


def _files(root: Path, name_pattern: re.Pattern[str]) -> Iterator[Path]:
    inside = os.path.realpath(root)
    for folder, folders, names in os.walk(root):
        is_deepest = len(Path(folder).relative_to(root).parts) == DEPTH
        folders[:] = [] if is_deepest else [name for name in folders if not MARKED.search(name)]
        for name in names:
            # `~$...` and `._...` are what office programs and macOS leave beside a file.
            ignored = MARKED.search(name) or name.startswith(("~", "."))
            if name_pattern.fullmatch(name.casefold()) and not ignored:
                path = Path(folder, name)
                if _is_file_inside(path, inside):
                    yield path


def _is_file_inside(path: Path, root: str) -> bool:
    try:
        target = Path(os.path.realpath(path))
        return target.is_file() and target.is_relative_to(root)
    except OSError:
        return False
