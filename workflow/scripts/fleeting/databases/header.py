"""Tables with a header row, found by content: on any sheet, in any row, columns in any order."""

import logging
import re
import textwrap
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fleeting.databases.sheets import Sheet, Workbook, cell_at
from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: By field, the headings that its column may have, the preferred one first, in the form that
#: `normalised_heading` returns.
Headings = Mapping[str, tuple[str, ...]]

#: The most characters of a header that a message quotes: a cell can hold 32,767.
LONGEST = 400
REMEDY = (
    "give the coding file of the database, as it was distributed; with `reader: table`, name your "
    "headings in the database's block, for example `columns: {subject: Person}`"
)


@dataclass(frozen=True)
class _Header:
    """A row that may be the header: its index in the sheet, and its columns by field.

    A field has several columns where several have its heading.
    """

    sheet: Sheet
    index: int
    columns: dict[str, list[int]]

    @property
    def rows_below(self) -> int:
        return len(self.sheet.rows) - self.index - 1


def normalised_heading(cell: str) -> str:
    """A header cell as it is compared: case-folded, letters and digits only."""
    return re.sub(r"[^0-9a-z]", "", cell.casefold())


def rows(
    workbook: Workbook,
    required: Headings,
    optional: Headings,
    given: Mapping[str, str] | None = None,
) -> list[tuple[int, dict[str, str]]]:
    """Every row below the header that holds anything: its number and its cells by field.

    The header is the row that has headings for `subject` and `clip`, the most others, and the most
    rows below it. An optional field that has no column is left out of all rows, which is logged.

    Args:
        workbook: the table.
        required: the fields that must have a column.
        optional: the fields that may have one.
        given: by field, a heading exactly as the table has it, used instead of the usual ones; such
            a field must have a column.

    Raises:
        UserError: no sheet has a header row, a required column is missing, or two columns have the
            heading of one.
    """
    given = given or {}
    wanted = {**required, **optional, **{field: (text,) for field, text in given.items()}}
    header = _choose(workbook, wanted, given)
    number, cells = header.sheet.rows[header.index]
    location = workbook.location(header.sheet, number)
    for field, names in wanted.items():
        columns = header.columns.get(field, [])
        if len(columns) > 1:
            raise UserError(
                f"{location}: more than one column is headed {cells[columns[0]]!r}; rename or "
                f"remove all but the one that holds the {field}"
            )
        if not columns and (field in required or field in given):
            raise UserError(
                f"{location}: no column for the {field}; accepted headings: {_any_of(names)}; "
                f"found: {_list(cells)}; {REMEDY}"
            )
        if not columns:
            log.info("%s: has no column for the %s; it stays empty", workbook.path.name, field)
    return [
        (below, {field: cell_at(row, column) for field, (column,) in header.columns.items()})
        for below, row in header.sheet.rows[header.index + 1 :]
    ]


def _choose(workbook: Workbook, wanted: Headings, given: Mapping[str, str]) -> _Header:
    candidates = [
        _Header(sheet, index, _columns(cells, wanted, given))
        for sheet in workbook.sheets
        for index, (_, cells) in enumerate(sheet.rows)
    ]
    headers = [found for found in candidates if {"subject", "clip"} <= found.columns.keys()]
    if not headers:
        # The row that looks most like a header.
        nearest = max(candidates, key=lambda found: len(found.columns), default=None)
        cells = nearest.sheet.rows[nearest.index][1] if nearest else ()
        names = ", ".join(repr(sheet.name) for sheet in workbook.sheets if sheet.name)
        searched = f"no sheet ({names}) has a header row" if names else "no header row"
        raise UserError(
            f"{workbook.path}: {searched} with the columns {_any_of(wanted['subject'])} and "
            f"{_any_of(wanted['clip'])}; found: {_list(cells)}; {REMEDY}"
        )
    chosen = max(headers, key=lambda found: (len(found.columns), found.rows_below))
    for other in headers:
        if other.sheet is not chosen.sheet and other.rows_below:
            log.warning(
                "Warning: %s: took sheet %r; sheet %r has a header too, and %d rows that are not "
                "read. Join the sheets if they hold other clips",
                *(workbook.path.name, chosen.sheet.name, other.sheet.name, other.rows_below),
            )
    return chosen


def _columns(
    header: tuple[str, ...], wanted: Headings, given: Mapping[str, str]
) -> dict[str, list[int]]:
    by_heading: dict[str, list[int]] = defaultdict(list)
    by_text: dict[str, list[int]] = defaultdict(list)
    for index, cell in enumerate(header):
        by_heading[normalised_heading(cell)].append(index)
        by_text[cell.casefold()].append(index)
    by_heading.pop("", None)
    found = {}
    for field, names in wanted.items():
        if field in given:
            text = " ".join(given[field].split()).casefold()
            columns = by_text.get(text) or by_heading.get(normalised_heading(text))
        else:
            columns = next((by_heading[name] for name in names if name in by_heading), None)
        if columns:
            found[field] = columns
    return found


def _any_of(names: tuple[str, ...]) -> str:
    return " or ".join(map(repr, names))


def _list(cells: tuple[str, ...]) -> str:
    names = ", ".join(filter(None, cells)) or "nothing"
    return textwrap.shorten(names, LONGEST, placeholder=" ...")
