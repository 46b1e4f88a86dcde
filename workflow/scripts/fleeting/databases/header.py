"""Tables with a header row, found by content: on any sheet, in any row, columns in any order."""

import logging
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping

from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: For each field the headings that it can stand under, the preferred one first, as `heading` gives
#: them.
Columns = Mapping[str, tuple[str, ...]]

#: A cell can hold 32,767 characters.
LONGEST = 400
AS_DISTRIBUTED = "give the coding file of the database, as it was distributed"


def heading(cell: str) -> str:
    """A header cell as it is compared: case-folded, letters and digits only."""
    return re.sub(r"[^0-9a-z]", "", cell.casefold())


def rows(
    workbook: Workbook,
    required: Columns,
    optional: Columns,
    given: Mapping[str, str] | None = None,
    remedy: str = AS_DISTRIBUTED,
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
        remedy: what to do about a column that is not found, for messages.

    Raises:
        UserError: no sheet has a header row, a required column is missing, or two columns have the
            heading of one.
    """
    given = given or {}
    wanted = {**required, **optional}
    headers = []
    # What looks most like a header, should there be none.
    nearest: tuple[int, tuple[str, ...]] = (-1, ())
    for sheet_index, sheet in enumerate(workbook.sheets):
        for row_index, (_, cells) in enumerate(sheet.rows):
            found = _columns(cells, wanted, given)
            if len(found) > nearest[0]:
                nearest = (len(found), cells)
            if "subject" in found and "clip" in found:
                below = len(sheet.rows) - row_index - 1
                headers.append((len(found), below, -sheet_index, row_index))
    if not headers:
        names = ", ".join(repr(sheet.name) for sheet in workbook.sheets)
        is_text = [sheet.name for sheet in workbook.sheets] == [""]
        searched = "no header row" if is_text else f"no sheet ({names}) has a header row"
        raise UserError(
            f"{workbook.path}: {searched} with the columns {_names('subject', wanted, given)} and "
            f"{_names('clip', wanted, given)}; found: {_found(nearest[1])}; {remedy}"
        )
    _, _, negative_index, row_index = max(headers)
    sheet = workbook.sheets[-negative_index]
    number, header = sheet.rows[row_index]
    place = workbook.place(sheet, number)
    columns = _columns(header, wanted, given)
    for _, below, other, _ in headers:
        if other != negative_index and below:
            name = workbook.sheets[-other].name
            log.warning(
                "Warning: %s: took sheet %r; sheet %r has a header too, and %d rows that are not "
                "read. Join the sheets if they hold other clips",
                *(workbook.path.name, sheet.name, name, below),
            )
    for field, positions in columns.items():
        if len(positions) > 1:
            raise UserError(
                f"{place}: more than one column is headed {header[positions[0]]!r}; rename or "
                f"remove all but the one that holds the {field}"
            )
    for field in wanted:
        if field not in columns and (field in required or field in given):
            raise UserError(
                f"{place}: no column for the {field}; accepted headings: "
                f"{_names(field, wanted, given)}; found: {_found(header)}; {remedy}"
            )
        if field not in columns:
            log.info("%s: has no column for the %s; it stays empty", workbook.path.name, field)
    return [
        (number, {field: _cell(cells, positions[0]) for field, positions in columns.items()})
        for number, cells in sheet.rows[row_index + 1 :]
    ]


def _columns(
    header: tuple[str, ...], wanted: Columns, given: Mapping[str, str]
) -> dict[str, list[int]]:
    """For each field that is found, all columns with the heading that it is found under."""
    by_heading: dict[str, list[int]] = defaultdict(list)
    by_text: dict[str, list[int]] = defaultdict(list)
    for index, cell in enumerate(header):
        by_heading[heading(cell)].append(index)
        by_text[cell.casefold()].append(index)
    by_heading.pop("", None)
    found = {}
    for field, names in wanted.items():
        if field in given:
            text = " ".join(given[field].split()).casefold()
            columns = by_text.get(text) or by_heading.get(heading(text))
        else:
            columns = next((by_heading[name] for name in names if name in by_heading), None)
        if columns:
            found[field] = columns
    return found


def _cell(cells: tuple[str, ...], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _names(field: str, wanted: Columns, given: Mapping[str, str]) -> str:
    names = (given[field],) if field in given else wanted[field]
    return " or ".join(repr(name) for name in names)


def _found(header: Iterable[str]) -> str:
    names = ", ".join(cell for cell in header if cell) or "nothing"
    return textwrap.shorten(names, LONGEST, placeholder=" ...")
