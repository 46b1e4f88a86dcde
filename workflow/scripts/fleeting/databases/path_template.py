"""Path templates such as `{subject}/{clip}/img{frame}.jpg`."""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from fleeting import paths

FRAME = "frame"


def parts(template: str) -> list[tuple[str, str | None, int]]:
    """A template as its literal texts, each with the placeholder after it or None, and its width.

    The width is that of `{subject:03}`: whole numbers with fewer digits get zeros in front. Raises
    a `ValueError` for a template that cannot be read.
    """
    found = []
    for literal, name, width, conversion in Formatter().parse(template):
        if name == "" or conversion or not re.fullmatch("0?[0-9]{0,2}", width or ""):
            raise ValueError("placeholders look like {subject} or {subject:03}")
        found.append((literal, name, int(width or 0)))
    return found


def placeholders(template: str) -> list[str]:
    """The names of a template's placeholders, `frame` included, in their order."""
    return [name for _, name, _ in parts(template) if name is not None]


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with the values of its placeholders; `{frame}` stays."""
    filled = []
    for literal, name, width in parts(template):
        filled.append(literal)
        if name == FRAME:
            filled.append(f"{{{FRAME}}}")
        elif name is not None:
            value = values[name]
            filled.append(value.zfill(width) if value.isdecimal() else value)
    return "".join(filled)


def is_safe(path: str) -> bool:
    """Whether a filled template is a path that cannot lead out of the folder it is relative to."""
    return all(map(paths.is_safe_name, path.replace(f"{{{FRAME}}}", "0", 1).split("/")))


def _checked(template: str, frames: int) -> str:
    problem = None
    try:
        names = placeholders(template)
        in_folders = FRAME in placeholders(template.rpartition("/")[0])
        if frames == 0 and FRAME in names:
            problem = "one picture of a clip has no {frame}"
        elif names.count(FRAME) != frames or in_folders:
            problem = "{frame} must stand once, in the file's name"
        elif not is_safe(fill(template, dict.fromkeys(names, "x"))):
            problem = "give a path relative to `frames`, with / between the folders"
    except ValueError as error:
        problem = str(error)
    if problem:
        raise PydanticCustomError(
            "template", "{template}: {reason}", {"template": repr(template), "reason": problem}
        )
    return template


#: A template of the paths of frames.
Frames = Annotated[str, AfterValidator(lambda template: _checked(template, 1))]
#: A template of the path of one picture.
Picture = Annotated[str, AfterValidator(lambda template: _checked(template, 0))]
