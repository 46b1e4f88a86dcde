"""Whose face may appear in a figure: the config's `show_faces`, which is `none` by default."""

import json
from collections.abc import Collection

from fleeting.errors import UserError

ShowFaces = str | tuple[str, ...]


def parse(text: str) -> ShowFaces:
    """Read `show_faces` from JSON: "none", "synthetic" or a list of `database/subject`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"show_faces is not JSON ({error}): {text!r}") from None
    if value in ("none", "synthetic"):
        return value
    if isinstance(value, list) and all(
        isinstance(name, str) and name.count("/") == 1 for name in value
    ):
        return tuple(value)
    raise UserError(
        f"show_faces must be none, synthetic or a list of database/subject, not {value!r}"
    )


def may_show(image: str, show_faces: ShowFaces, synthetic: Collection[str]) -> bool:
    """Whether pixels of an image may be shown.

    Args:
        image: its name, `database/subject/clip/onset/phase`.
        show_faces: the config's value.
        synthetic: the databases whose faces this project drew itself. `synthetic` allows these
            alone, so that the setting never shows a person, whatever the config points at.
    """
    database, subject = image.split("/")[:2]
    if show_faces == "none":
        return False
    if show_faces == "synthetic":
        return database in synthetic
    return f"{database}/{subject}" in show_faces
