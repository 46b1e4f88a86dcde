"""Jobs: how a command line becomes a call of a function, and an error one readable paragraph."""

import argparse
import errno
import gc
import inspect
import json
import logging
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fleeting import registry
from fleeting.errors import UserError

PACKAGE = Path(__file__).parent
USAGE = "usage: job.py MODULE --name value..."


def main() -> None:
    """Run the job that the command line names, and exit."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(USAGE)
    guarded(lambda: _run(arguments[0], arguments[1:]))


def _run(module: str, arguments: Sequence[str]) -> None:
    if not PACKAGE.joinpath(*module.split(".")).with_suffix(".py").is_file():
        raise UserError(f"there is no job {module!r}; {USAGE}")
    function = getattr(registry.load_job(module), "run", None)
    if function is None:
        raise UserError(f"{module} is not a job: it has no function `run`; {USAGE}")
    # Imported objects live until the process exits: the garbage collector need not scan them.
    gc.freeze()
    gc.enable()
    call(function, arguments)


def call(function: Callable[..., None], arguments: Sequence[str]) -> None:
    """Call a job's function with a command line's options.

    Args:
        function: takes keyword arguments annotated as `str`, `int`, `float`, `Path`, a list or an
            optional one of these, a pydantic model, or a `dict` (both given as JSON).
        arguments: `--name value...`, underscores in names written as hyphens.

    Raises:
        UserError: a block does not have the keys that its model wants.
    """
    parser = argparse.ArgumentParser(function.__module__, description=function.__doc__)
    models = {}
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        optional = parameter.default is not inspect.Parameter.empty
        kind, many = _kind(parameter.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            models[name], kind = kind, json.loads
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            nargs="*" if many else None,
            required=not optional and not many,
            default=parameter.default if optional else [],
        )
    given = vars(parser.parse_args(arguments))
    try:
        blocks = {name: model.model_validate(given[name]) for name, model in models.items()}
    except ValidationError as error:
        raise UserError(f"{function.__module__}: {error}") from None
    function(**given | blocks)


def _kind(annotation: Any) -> tuple[Callable[[str], Any], bool]:
    """How one value of an annotated argument is read, and whether it takes several."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(kind for kind in inner if kind is not type(None)))
    if origin is list:
        return _kind(inner[0])[0], True
    if origin is dict or annotation is dict:
        return json.loads, False
    if annotation is bool:
        return {"True": True, "False": False}.__getitem__, False
    return annotation, False


def _full(error: OSError) -> str:
    return (
        f"there is no room left to write ({_what(error)}). Free some, or set another folder under "
        "`results:` in the config, and run the same command again: finished jobs stay finished, "
        "and an interrupted training job resumes from its last checkpoint."
    )


def _forbidden(error: OSError) -> str:
    return (
        f"the system refuses access ({_what(error)}). Check who owns the file or folder and "
        "whether its file system is mounted writable, and run the same command again."
    )


def _what(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


#: Errors of the operating system, which are not bugs of this project.
REFUSED = {
    errno.ENOSPC: _full,
    errno.EDQUOT: _full,
    errno.EROFS: _forbidden,
    errno.EACCES: _forbidden,
    errno.EPERM: _forbidden,
}


def guarded(function: Callable[[], None]) -> None:
    """Call a function and turn whatever stops it into one readable paragraph and exit status 1.

    A `UserError` is printed as it is. Any other error is a bug: it is named with the place in this
    project where it was raised.
    """
    for stream in (sys.stdout, sys.stderr):
        # File names that are not UTF-8 are escaped rather than raising an error.
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        function()
    except UserError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {REFUSED.get(error.errno or 0, describe)(error)}")
    except Exception as error:
        sys.exit(f"Error: {describe(error)}")


def describe(error: BaseException) -> str:
    """One line for an unexpected error: its type, its text and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    place = (own or frames)[-1]
    return (
        f"{type(error).__name__}: {error} (in {Path(place.filename).name}, line {place.lineno}). "
        "This is a bug: please report it with the row or file that is named above."
    )
