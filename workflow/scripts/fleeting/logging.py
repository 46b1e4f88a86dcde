"""How a script talks: progress on stdout, one paragraph when it cannot go on."""

import errno
import gc
import logging
import sys
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from fleeting.errors import UserError

PACKAGE = Path(__file__).parent


def _full(error: OSError) -> str:
    return (
        f"there is no room left to write ({_what(error)}). Make some, or name another place under "
        "`results:` in the config, and give the same command again: what is done stays done, and "
        "a run that was being trained goes on from its last checkpoint."
    )


def _forbidden(error: OSError) -> str:
    return (
        f"the system refuses access ({_what(error)}). See to whom the file or folder belongs and "
        "whether its file system is mounted to be written to, and give the same command again."
    )


def _what(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


#: What the system may say about a file that is no fault of this project.
REFUSED = {
    errno.ENOSPC: _full,
    errno.EDQUOT: _full,
    errno.EROFS: _forbidden,
    errno.EACCES: _forbidden,
    errno.EPERM: _forbidden,
}


def run(main: Callable[[], None]) -> None:
    """Run a script's `main` and turn whatever stops it into one readable paragraph.

    A `UserError` is printed as it is. Anything else was not foreseen: it is named with the place
    in this project where it arose, and ends the job with status 1 as well.
    """
    for stream in (sys.stdout, sys.stderr):
        # File names that are no UTF-8 are shown, not stumbled over.
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    # What the imports made stays: no collection, nor the one at the exit, has to look through it.
    gc.freeze()
    gc.enable()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        main()
    except UserError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {REFUSED.get(error.errno or 0, describe)(error)}")
    except Exception as error:
        sys.exit(f"Error: {describe(error)}")


def describe(error: BaseException) -> str:
    """One line for an error that nobody foresaw: its kind, its text and where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    place = (own or frames)[-1]
    return (
        f"{type(error).__name__}: {error} (in {Path(place.filename).name}, line {place.lineno}). "
        "This was not foreseen: please report it with the row or file that is named above."
    )
