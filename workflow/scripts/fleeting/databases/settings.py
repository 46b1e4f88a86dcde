"""What a database's block of the config says: which table to read, and with which options."""

import logging
from pathlib import Path

from fleeting.databases import find, reader
from fleeting.databases.reader import Options
from fleeting.errors import UserError

log = logging.getLogger(__name__)


def table_path(database: str, table: Path | None, root: Path | None) -> Path:
    """The table to read: the given one, or the newest below the root.

    Says in the log which other versions the root holds. Raises a `UserError` that names the folder
    and the accepted names where there is none.
    """
    if root is None:
        if table is None:
            raise UserError(
                f"databases.{database}: give either `root`, or both `table` and `frames`"
            )
        return table
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; correct databases.{database}.root in the config")
    found = find.tables(root, database)
    chosen = table or next(iter(found), None)
    if chosen is None:
        accepted = ", ".join(reader.load(database).TABLE_EXAMPLES)
        raise UserError(
            f"{root}: holds no table of {database}, neither itself nor down to {find.DEPTH} "
            f"folders below; names such as {accepted} are accepted. Put the file there (not as a "
            "link to elsewhere, nor in a folder with < or > in its name), or give "
            f"databases.{database}.table and .frames in the config"
        )
    others = [str(path.relative_to(root)) for path in found if path != chosen]
    if others:
        log.info("%s: took %s; also there: %s", database, chosen.name, ", ".join(others))
    return chosen


def options(database: str, given: Options) -> Options:
    """The reader's options, completed by its defaults; a `UserError` names a wrong one."""
    known = reader.load(database).OPTIONS
    where = f"databases.{database}"
    for name in given:
        if name not in known:
            raise UserError(f"{where}.{name}: no such option; known: {', '.join(known) or 'none'}")
    complete = {**known, **given}
    if "label" in complete and complete["label"] not in ("self_reported", "estimated"):
        raise UserError(f"{where}.label: {complete['label']!r} is not self_reported or estimated")
    if "expression_types" in complete:
        types = complete["expression_types"]
        allowed = ("micro", "macro")
        if not isinstance(types, list) or not types or any(t not in allowed for t in types):
            raise UserError(
                f"{where}.expression_types: {types!r} is not a list of micro, macro or both"
            )
    return complete
