"""What is wrong with a config, one line for each key."""

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from fleeting.config.fields import DESCRIPTIONS
from fleeting.errors import UserError

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 100, 100


def refusal(lines: Iterable[str]) -> UserError:
    """The error that lists everything that is wrong with a config."""
    return UserError("\n  ".join(["the config cannot be used:", *lines]))


def describe(error: ValidationError) -> list[str]:
    """Place, value and remedy of everything that the models refused."""
    return [_line(each) for each in error.errors(include_url=False)]


def shown(value: Any) -> str:
    """A value as a message repeats it, abbreviated if it is long."""
    return _SHORT.repr(value)


def _line(error: Mapping[str, Any]) -> str:
    kind, value, context = error["type"], shown(error["input"]), error.get("ctx", {})
    # pydantic marks a wrong key of a block in this way.
    path = [str(key) for key in error["loc"] if key != "[key]"]
    if kind == "extra_forbidden":
        # The key is a message: see `fleeting.settings.Settings`.
        return f"{_place(path[:-1])}: {path[-1]}"
    where = _place(path)
    if kind == "missing":
        return f"{where}: this key is required"
    if path[-2:-1] == ["lrs"]:
        return f'{where}: {value}: write a rate as a quoted string such as "1e-03"'
    if "pattern" in context:
        pattern = context["pattern"]
        return f"{where}: {value} is not {DESCRIPTIONS.get(pattern, f'of the form {pattern}')}"
    if kind == "too_short":
        return (
            f"{where}: {context['actual_length']} entries, where at least {context['min_length']} "
            "are needed; add what is missing, or remove the key for its default"
        )
    if kind in ("model_type", "dict_type"):
        return f"{where}: {value} is not a block of keys with values"
    if kind == "path_type":
        return f"{where}: {value} is not a path"
    text = error["msg"].removeprefix("Value error, ")
    if text.startswith("Input should "):
        return f"{where}: {value} {text.removeprefix('Input ')}"
    return f"{where}: {text}"


def _place(path: list[str]) -> str:
    """The dotted path of a value in the config."""
    return ".".join(path) or "the config"


def mistaken_booleans(given: Any, checked: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where `true` was given for a number, or a number or text for true or false.

    Args:
        given: the config as the file has it.
        checked: the same as the models read it: pydantic takes 1 for true, and true for 1.
        path: where both are.
    """
    if isinstance(given, dict) and isinstance(checked, dict):
        for key in given.keys() & checked.keys():
            yield from mistaken_booleans(given[key], checked[key], (*path, str(key)))
    elif isinstance(given, list) and isinstance(checked, list):
        for number, pair in enumerate(zip(given, checked, strict=False)):
            yield from mistaken_booleans(*pair, (*path, str(number)))
    elif isinstance(given, bool) != isinstance(checked, bool):
        wanted = "true or false" if isinstance(checked, bool) else "a number"
        yield f"{_place(list(path))}: {shown(given)} should be {wanted}"
