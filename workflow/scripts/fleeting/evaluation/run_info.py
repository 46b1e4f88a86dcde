"""The JSON files of runs and splits, read and checked."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fleeting.errors import UserError


def read(path: Path, needed: Iterable[str] = ("classes",)) -> dict[str, Any]:
    """Read a run.json or split.json.

    Args:
        path: the file.
        needed: the entries that it must have; `classes` must be a list of names besides.

    Raises:
        UserError: it is missing, truncated, or another file's content.
    """
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: missing; rerun the same command") from None
    except ValueError as error:
        raise _corrupt(path, f"not complete JSON: {error}") from None
    if not isinstance(info, dict):
        raise _corrupt(path, "not a JSON object")
    for name in needed:
        if name not in info:
            raise _corrupt(path, f"no entry `{name}`")
    classes = info["classes"]
    if (
        not isinstance(classes, list)
        or not classes
        or any(type(name) is not str for name in classes)
    ):
        raise _corrupt(path, "`classes` is not a list of names")
    return info


def _corrupt(path: Path, what: str) -> UserError:
    return UserError(f"{path}: corrupt ({what}); delete it and rerun the same command")
