"""What is wrong with a config, one line for each key."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from fleeting.config.fields import DESCRIPTIONS
from fleeting.errors import UserError

#: Of a longer line a message shows the beginning and the end.
LONGEST_LINE = 300
#: Values longer than this are not repeated in full.
LONGEST_VALUE = 100


def refusal(lines: list[str]) -> UserError:
    """The error that lists everything that is wrong with a config."""
    shown = [
        line if len(line) <= LONGEST_LINE else f"{line[:150]} ... {line[-150:]}" for line in lines
    ]
    return UserError("\n  ".join(["the config cannot be used:", *shown]))


def describe(error: ValidationError, given: Any) -> list[str]:
    """Place, value and remedy of everything that the models refused.

    Args:
        error: the models' own.
        given: what they were given.
    """
    return [_line(each, given) for each in error.errors(include_url=False)]


def _line(error: Mapping[str, Any], given: Any) -> str:
    where, value, text = place(_path(error, given)), shown(error["input"]), error["msg"]
    pattern = error.get("ctx", {}).get("pattern")
    if error["type"] == "extra_forbidden":
        # The key is a message: see `fleeting.settings.Settings`.
        return f"{where}: {error['loc'][-1]}"
    if error["type"] == "missing":
        return f"{where}: this key is required"
    if where.split(".")[-2:-1] == ["lrs"]:
        return f'{where}: {value}: write a rate as a quoted string such as "1e-03"'
    if pattern is not None:
        return f"{where}: {value} is not {DESCRIPTIONS.get(pattern, f'of the form {pattern}')}"
    if error["type"] in ("model_type", "dict_type"):
        return f"{where}: {value} is not a block of keys with values"
    if text.startswith("Input should "):
        return f"{where}: {value} {text.removeprefix('Input ')}"
    return f"{where}: {text.removeprefix('Value error, ')}"


def _path(error: Mapping[str, Any], given: Any) -> list[Any]:
    """Where the error is in the config: pydantic's own path names members of unions as well."""
    path, rest = [], list(error["loc"])
    if error["type"] == "extra_forbidden":
        rest.pop()
    missing = [rest.pop()] if error["type"] == "missing" else []
    for key in rest:
        of_list = isinstance(given, list) and isinstance(key, int)
        if of_list or (isinstance(given, dict) and key in given):
            given = given[key]
            path.append(key)
    return path + missing


def place(path: Iterable[Any]) -> str:
    """The dotted path of a value in the config."""
    return ".".join(map(str, path)) or "the config"


def shown(value: Any) -> str:
    """A value as a message repeats it."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def mistaken_booleans(given: Any, taken: Any, path: tuple[Any, ...] = ()) -> Iterator[str]:
    """Where `true` was given for a number, or a number or text for true or false.

    Args:
        given: the config as the file has it.
        taken: the same as the models read it: pydantic takes 1 for true and the reverse.
        path: where both stand.
    """
    if isinstance(given, dict) and isinstance(taken, dict):
        for key in given.keys() & taken.keys():
            yield from mistaken_booleans(given[key], taken[key], (*path, key))
    elif isinstance(given, list) and isinstance(taken, list):
        for number, pair in enumerate(zip(given, taken, strict=False)):
            yield from mistaken_booleans(*pair, (*path, number))
    elif isinstance(given, bool) != isinstance(taken, bool):
        wanted = "true or false" if isinstance(taken, bool) else "a number"
        yield f"{place(path)}: {shown(given)} should be {wanted}"
