"""What the doctor finds: a level, a subject, a text and what to do about it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleeting.errors import UserError
from fleeting.jobs import describe

FINE, NOTE, PROBLEM = "fine", "note", "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: `fine`; `note`, something to know; or `problem`, which will stop the run.
        subject: what was looked at: a database, an experiment, the disk.
        text: what was found, with its numbers.
        remedy: what to do; empty where there is nothing to do, or where the text says it.
    """

    level: str
    subject: str
    text: str
    remedy: str = ""


#: A heading, and the findings below it.
Section = tuple[str, Iterable[Finding]]


def fine(subject: str, text: str) -> Finding:
    """Something that is as it should be."""
    return Finding(FINE, subject, text)


def note(subject: str, text: str, remedy: str = "") -> Finding:
    """Something to know that does not stop the run."""
    return Finding(NOTE, subject, text, remedy)


def problem(subject: str, text: str, remedy: str = "") -> Finding:
    """Something that will stop the run."""
    return Finding(PROBLEM, subject, text, remedy)


def guarded(
    subject: str, look: Callable[[], Iterable[Finding]], remedy: str = ""
) -> Iterator[Finding]:
    """What `look` finds, one by one; an error that stops it becomes the last finding.

    Args:
        subject: what is looked at.
        look: looks, and yields what it finds.
        remedy: what helps besides what an error's own text says.
    """
    try:
        yield from look()
    except UserError as error:
        yield problem(subject, str(error), remedy)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        text = f"{place}cannot be read or written ({error.strerror or error})"
        yield problem(subject, text, f"Correct the path, or its permissions. {remedy}".strip())
    except Exception as error:
        yield problem(subject, describe(error), remedy)


class _Listener(logging.Handler):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().removeprefix("Warning: "))


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect the warnings of the project's modules within the block instead of printing them."""
    listener = _Listener()
    logger = logging.getLogger("fleeting")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield listener.lines
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagate
