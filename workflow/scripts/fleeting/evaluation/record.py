"""run.json, read and checked; without pandas, which the test step has no other need for."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fleeting.errors import UserError


def read(path: Path, needed: Iterable[str] = ("classes",)) -> dict[str, Any]:
    """What a run says of itself.

    Args:
        path: its run.json.
        needed: the entries that it must have; `classes` must be a list of names besides.

    Raises:
        UserError: it is missing, not whole, or not the record of a run.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; give your command again") from None
    except ValueError as error:
        raise UserError(
            f"{path}: not a whole record of a run ({error}); delete it and train this run again"
        ) from None
    if not isinstance(record, dict):
        raise UserError(f"{path}: not a record of a run; delete it and train this run again")
    for name in needed:
        if name not in record:
            raise UserError(
                f"{path}: not a whole record of a run (no entry `{name}`); "
                "delete it and train this run again"
            )
    classes = record["classes"]
    if (
        not isinstance(classes, list)
        or not classes
        or any(type(name) is not str for name in classes)
    ):
        raise UserError(
            f"{path}: `classes` is no list of names; delete it and train this run again"
        )
    return record
