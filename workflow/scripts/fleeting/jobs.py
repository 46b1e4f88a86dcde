"""Jobs: how a command line becomes a call of a function, and an error one readable paragraph."""

import argparse
import errno
import gc
import inspect
import json
import logging
import os
import signal
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

FULL = (
    "there is no room left to write. Free some, or set another folder under `results:` in the "
    "config, and run the same command again: finished jobs stay finished, and an interrupted "
    "training job resumes from its last checkpoint."
)
FORBIDDEN = (
    "the system refuses access. Check who owns the file or folder and whether its file system is "
    "mounted writable, and run the same command again."
)
#: Errors of the operating system, which are not bugs of this project.
REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: FORBIDDEN,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
}


def main() -> None:
    """Run the job that the command line names, and exit.

    Whatever stops it becomes one readable paragraph and exit status 1.
    """
    for stream in (sys.stdout, sys.stderr):
        # File names that are not UTF-8 are escaped rather than raising an error.
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(USAGE)
    try:
        _run(arguments[0], arguments[1:])
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr, flush=True)
        # Die by the signal, so that the shell or make around the job stops as well.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    except BrokenPipeError:
        # The reader of the output, such as `head`, has gone. Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        sys.exit(f"Error: {explain(error)}")


def _run(module: str, arguments: Sequence[str]) -> None:
    if not PACKAGE.joinpath(*module.split(".")).with_suffix(".py").is_file():
        raise UserError(f"there is no job {module!r}; {USAGE}")
    function = getattr(registry.load_module(f"fleeting.{module}"), "run", None)
    if function is None:
        raise UserError(f"{module} is not a job: it has no function `run`; {USAGE}")
    # Imported objects live until the process exits: the garbage collector need not scan them.
    gc.freeze()
    gc.enable()
    call(function, arguments)


def call(function: Callable[..., None], arguments: Sequence[str]) -> None:
    """Call a job's function with a command line's options.

    Args:
        function: takes keyword arguments annotated as `str`, `int`, `float`, `bool`, `Path`, a list
            or an optional one of these, a pydantic model, a `dict`, or a list of lists (the last
            three given as JSON).
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
    """The function that reads one value of an argument, and whether it takes several values."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(kind for kind in inner if kind is not type(None)))
    if origin is list and get_origin(inner[0]) is list:
        return json.loads, False
    if origin is list:
        return _kind(inner[0])[0], True
    if origin is dict or annotation is dict:
        return json.loads, False
    if annotation is bool:
        return {"True": True, "False": False}.__getitem__, False
    return annotation, False


def explain(error: Exception) -> str:
    """One paragraph for an error that stopped a job.

    A `UserError` is its own text, and a full or read-only disk is named. Any other error is a bug:
    it is named with the place in this project where it was raised.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in REMEDIES:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}: {REMEDIES[error.errno]}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    place = (own or frames)[-1]
    return (
        f"{type(error).__name__}: {error} (in {Path(place.filename).name}, line {place.lineno}). "
        "This is a bug: please report it with the row or file that is named above."
    )
