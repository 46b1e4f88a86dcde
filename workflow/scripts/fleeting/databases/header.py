"""Tables with a header row, found by content: on any sheet, in any row, columns in any order."""

import logging
import re
from collections.abc import Mapping

from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: For each field the headings that it can stand under, the preferred one first, as `heading` gives
#: them.
Columns = Mapping[str, tuple[str, ...]]


def heading(cell: str) -> str:
    """A header cell as it is compared: case-folded, letters and digits only."""
    return re.sub(r"[^0-9a-z]", "", cell.casefold())


def rows(
    workbook: Workbook, required: Columns, optional: Columns
) -> list[tuple[int, dict[str, str]]]:
    """Every row below the header that holds anything: its number and its cells by field.

    The header is the row that has headings for `subject` and `clip`, the most others, and the most
    rows below it. An
    optional field that has no column is left out of all rows, and said so in the log.

    Raises a `UserError` where no sheet has a header row, where a required column is missing, or
    where two columns have the heading of one.
    """
    wanted = {**required, **optional}
    headers = []
    for sheet_index, sheet in enumerate(workbook.sheets):
        for row_index, (_, cells) in enumerate(sheet.rows):
            found = _columns(cells, wanted)
            if "subject" in found and "clip" in found:
                below = len(sheet.rows) - row_index - 1
                headers.append((len(found), below, -sheet_index, row_index))
    if not headers:
        sheets = ", ".join(repr(sheet.name) for sheet in workbook.sheets)
        raise UserError(
            f"{workbook.path}: no sheet ({sheets}) has a header row with the columns "
            f"{_names(required['subject'])} and {_names(required['clip'])}; "
            "give the coding file of the database, as it was distributed"
        )
    _, _, negative_index, row_index = max(headers)
    sheet = workbook.sheets[-negative_index]
    number, header = sheet.rows[row_index]
    columns = _columns(header, wanted)
    for _, below, other, _ in headers:
        if other != negative_index and below:
            name = workbook.sheets[-other].name
            log.warning(
                "Warning: %s: took sheet %r; sheet %r has a header too, and %d rows that are not "
                "read. Join the sheets if they hold other clips",
                *(workbook.path.name, sheet.name, name, below),
            )
    for field, column in columns.items():
        if sum(heading(cell) == heading(header[column]) for cell in header) > 1:
            raise UserError(
                f"{workbook.path}, sheet {sheet.name!r}, row {number}: more than one column is "
                f"headed {header[column]!r}; rename or remove all but the one that holds the "
                f"{field}"
            )
    for field in required:
        if field not in columns:
            raise UserError(
                f"{workbook.path}, sheet {sheet.name!r}, row {number}: no column for the {field}; "
                f"accepted headings: {_names(required[field])}; found: "
                f"{', '.join(cell for cell in header if cell)}"
            )
    for field in optional:
        if field not in columns:
            log.info("%s: has no column for %s; it stays empty", workbook.path.name, field)
    return [
        (number, {field: _cell(cells, column) for field, column in columns.items()})
        for number, cells in sheet.rows[row_index + 1 :]
    ]


def _columns(header: tuple[str, ...], wanted: Columns) -> dict[str, int]:
    positions: dict[str, int] = {}
    for index, cell in enumerate(header):
        positions.setdefault(heading(cell), index)
    return {
        field: next(positions[name] for name in names if name in positions)
        for field, names in wanted.items()
        if any(name in positions for name in names)
    }


def _cell(cells: tuple[str, ...], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _names(headings: tuple[str, ...]) -> str:
    return " or ".join(repr(name) for name in headings)
