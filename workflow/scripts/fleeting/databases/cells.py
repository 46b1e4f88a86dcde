"""The values of cells in a database's table, whatever spreadsheet programs made of them.

Every cell is text. The four published databases share one set of signs for "missing".
"""

import datetime
import math
import re

#: `/`, `\`, NaN and `0` all mean "missing" in these tables, as an empty cell does.
_MISSING = re.compile(r"|[/\\]+|nan|0+(\.0*)?", re.ASCII | re.IGNORECASE)
#: No recording has a billion frames: more digits are a typing error.
_INTEGER = re.compile(r"0*([0-9]{1,9})(?:\.0*)?", re.ASCII)


def text(value: object) -> str:
    """A cell's value as text on one line, without white space around it.

    Spreadsheet programs store integers as floating-point numbers: 46.0 becomes `46`. They also
    turn text that looks like a date into one (action units `4-7`): the original cannot be told, so
    the text says that it is a date.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, datetime.date):
        return f"(a date: {value:%Y-%m-%d})"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    printable = (sign if sign.isprintable() else " " for sign in str(value))
    return " ".join("".join(printable).split())


def is_missing(cell: str) -> bool:
    """Whether the cell holds one of the signs for "no value"."""
    return _MISSING.fullmatch(cell) is not None


def integer(cell: str) -> int | None:
    """The whole number that the cell holds (`46`, `046` and `46.0` are one), or None."""
    match = _INTEGER.fullmatch(cell)
    return int(match[1]) if match else None


def subject_number(cell: str) -> int | None:
    """The positive number of a subject, with or without the prefix `sub`, or None."""
    number = integer(re.sub(r"(?i)^sub[ _-]?", "", cell))
    return number if number and number <= 999 else None
