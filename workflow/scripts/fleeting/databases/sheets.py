"""A table's file as readers see it: sheets of rows of text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleeting.databases import cells

#: The tables as published have less than ten thousand cells.
MOST_CELLS = 2_000_000


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows that hold anything, each with its number as a spreadsheet program shows it.

    A text file is one sheet, without a name.
    """

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Workbook:
    """All sheets of one file, the empty ones included."""

    path: Path
    sheets: tuple[Sheet, ...]

    def location(self, sheet: Sheet, row: int | None = None) -> str:
        """How a message names a sheet of this file, or a row of it."""
        parts = [str(self.path)]
        if sheet.name:
            parts.append(f"sheet {sheet.name!r}")
        if row is not None:
            parts.append(f"row {row}")
        return ", ".join(parts)


def make_sheet(name: str, rows: Iterable[Sequence[object]]) -> Sheet:
    """A sheet from the values of all its rows, the empty ones included.

    Raises a `ValueError` where it has too many cells.
    """
    kept: list[tuple[int, tuple[str, ...]]] = []
    held = 0
    for number, row in enumerate(rows, start=1):
        texts = [cells.text(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        held += len(texts)
        if held > MOST_CELLS:
            raise ValueError(f"sheet {name!r} has more than {MOST_CELLS} cells")
        if texts:
            kept.append((number, tuple(texts)))
    return Sheet(name, tuple(kept))


def cell_at(row: Sequence[str], column: int) -> str:
    """The cell of a row in a column (from 0); empty ones at the end of a row are not stored."""
    return row[column] if column < len(row) else ""
