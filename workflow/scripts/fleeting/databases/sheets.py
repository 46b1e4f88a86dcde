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

    def place(self, sheet: Sheet, row: int | None = None) -> str:
        """How a message names a sheet of this file, or a row of it."""
        parts = [str(self.path)]
        if sheet.name:
            parts.append(f"sheet {sheet.name!r}")
        if row is not None:
            parts.append(f"row {row}")
        return ", ".join(parts)


def sheet(name: str, rows: Iterable[tuple[int, Sequence[object]]]) -> Sheet:
    """A sheet from its rows, each with its number; a `ValueError` names what is wrong with one."""
    kept: list[tuple[int, tuple[str, ...]]] = []
    previous = held = 0
    for number, row in rows:
        if number <= previous:
            raise ValueError(f"sheet {name!r}: row {number} stands below row {previous}")
        previous = number
        texts = [cells.text(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        held += len(texts)
        if held > MOST_CELLS:
            raise ValueError(f"sheet {name!r} has more than {MOST_CELLS} cells")
        if texts:
            kept.append((number, tuple(texts)))
    return Sheet(name, tuple(kept))
