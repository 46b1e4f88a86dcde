"""The doctor's findings: a level, a text and a remedy."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fleeting.jobs import explain

FINE, NOTE, PROBLEM = "fine", "note", "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was examined.

    Attributes:
        level: `fine`; `note`, something to know; or `problem`, which will stop the run.
        text: what was found, with its numbers.
        remedy: what to do; empty where nothing is to be done, or where the text says it.
    """

    level: str
    text: str
    remedy: str = ""


def fine(text: str) -> Finding:
    """Something that is as it should be."""
    return Finding(FINE, text)


def note(text: str, remedy: str) -> Finding:
    """Something to know that does not stop the run."""
    return Finding(NOTE, text, remedy)


def problem(text: str, remedy: str) -> Finding:
    """Something that will stop the run."""
    return Finding(PROBLEM, text, remedy)


def findings_of(examine: Callable[[], Iterable[Finding]], remedy: str = "") -> Iterator[Finding]:
    """The findings of a function, one by one; an error that stops it becomes the last one.

    Args:
        examine: looks at something and yields what it finds.
        remedy: what helps besides the remedy in an error's own text.
    """
    try:
        yield from examine()
    except Exception as error:
        yield problem(explain(error), remedy)


def readable_size(count: float) -> str:
    """A number of bytes as text: `18 GB`, `4.6 MB`; units are powers of 1000."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        del units[0]
    decimals = 0 if count >= 10 or count == int(count) else 1
    return f"{count:.{decimals}f} {units[0]}"
