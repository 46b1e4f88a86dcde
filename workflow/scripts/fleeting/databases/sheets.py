"""A workbook as readers see it: sheets of rows of text."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows that hold anything, each with its number as a spreadsheet program shows it."""

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Workbook:
    """All sheets of one file, the empty ones included."""

    path: Path
    sheets: tuple[Sheet, ...]
