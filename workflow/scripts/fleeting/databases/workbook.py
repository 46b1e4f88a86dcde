"""A table's file as plain text: `.xlsx` by calamine, `.xls` by xlrd, CSV and the like.

Only values are read: styles, filters and names may be as broken as programs leave them. Formulas
and links are never evaluated: a cell holds the value that was stored with the file. The kind of
file is recognised by its first bytes, since copies with a wrong ending circulate. A file may be
malicious: its size, packed and unpacked, is bounded before it is read.
"""

import contextlib
import io
import re
import tempfile
import textwrap
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

import xlrd
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum

from fleeting.databases import delimited, sheets
from fleeting.databases.sheets import Sheet, Workbook
from fleeting.errors import UserError

#: The tables as published hold less than a million bytes, unpacked as well.
MOST_BYTES = 32_000_000
#: The last row and the last column that a sheet can have.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
#: The largest rectangle from the first cell of a sheet to its last: calamine holds it in memory.
MOST_AREA = 8_000_000
#: How a cell says that its value is an error.
_ERROR = re.compile(rb"""(<(?:\w+:)?c\s[^>]*?\bt=)["']e["']""")
#: How `.xlsx` files begin, which are ZIP archives.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: How `.xls` files begin: a container, or, from the oldest programs, the bare records.
_XLS = (b"\xd0\xcf\x11\xe0", b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")

#: The first and the last row, and the column, of cells that are merged, from 0.
Merged = Iterable[tuple[int, int, int]]


def read(path: Path) -> Workbook:
    """Read every sheet of a workbook, or a text table as a workbook of one sheet.

    Raises a `UserError` that names the file where it is missing, empty, too large, not a table,
    damaged or protected by a password.
    """
    content = _content(path)
    try:
        found = _sheets(path.name, content)
    except (KeyboardInterrupt, SystemExit):
        raise
    # Both raise all kinds of errors for damaged files; a panic of calamine is no `Exception`.
    except BaseException as error:
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
        raise UserError(
            f"{path}: not a readable table ({reason}); it must be .xls or .xlsx without a "
            "password, or text with commas, semicolons or tabs between the columns. Open it in a "
            "spreadsheet program and save it again"
        ) from None
    return Workbook(path, tuple(found))


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path}: the table cannot be read (not a file)")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: the table is missing; check the path in the config") from None
    except OSError as error:
        raise UserError(f"{path}: the table cannot be read ({error.strerror})") from None
    if len(content) > MOST_BYTES:
        raise UserError(
            f"{path}: more than {MOST_BYTES} bytes, too large for a table of clips; check "
            "the path in the config"
        )
    return content


def _sheets(name: str, content: bytes) -> list[Sheet]:
    if not content:
        raise ValueError("the file is empty")
    if content.startswith(_ZIP):
        return _read_xlsx(content)
    if content.startswith(_XLS):
        return _read_xls(content)
    return [sheets.make_sheet("", delimited.read(name, content))]


def _read_xlsx(content: bytes) -> list[Sheet]:
    content = _checked(content)
    # By a path with the ending: without it errors say less.
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        book = CalamineWorkbook.from_path(file.name)
    names = [entry.name for entry in book.sheets_metadata if entry.typ == SheetTypeEnum.WorkSheet]
    return [_xlsx_sheet(book.get_sheet_by_name(name)) for name in names]


def _xlsx_sheet(sheet: CalamineSheet) -> Sheet:
    ranges = sheet.merged_cell_ranges or ()
    merged = [(first, last, column) for (first, column), (last, _) in ranges]
    return sheets.make_sheet(sheet.name, _fill(sheet.to_python(skip_empty_area=False), merged))


def _read_xls(content: bytes) -> list[Sheet]:
    try:
        book = _open_xls(content, formatting_info=True)
    except Exception:
        # Styles may be broken where the values are whole; only they say which cells are merged.
        book = _open_xls(content, formatting_info=False)
    return [_xls_sheet(sheet, book) for sheet in book.sheets()]


def _open_xls(content: bytes, formatting_info: bool) -> xlrd.book.Book:
    # Ragged: one cell in the last column must not widen every row.
    return xlrd.open_workbook(
        file_contents=content,
        logfile=io.StringIO(),
        ragged_rows=True,
        formatting_info=formatting_info,
    )


def _xls_sheet(sheet: xlrd.sheet.Sheet, book: xlrd.book.Book) -> Sheet:
    rows = [[_xls_value(cell, book) for cell in row] for row in sheet.get_rows()]
    merged = [(first, behind - 1, column) for first, behind, column, _ in sheet.merged_cells]
    return sheets.make_sheet(sheet.name, _fill(rows, merged))


def _xls_value(cell: xlrd.sheet.Cell, book: xlrd.book.Book) -> object:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        with contextlib.suppress(ValueError, OverflowError, xlrd.xldate.XLDateError):
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
    return cell.value


def _checked(content: bytes) -> bytes:
    """The archive, once it is known not to grow when it is unpacked or read.

    Error values become text: calamine reads `#REF!` as an empty cell.
    """
    memory = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(memory, "w") as readable,
    ):
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES:
            raise ValueError(f"unpacked it has {size} bytes, more than {MOST_BYTES}")
        for part in parts:
            data = archive.read(part)
            if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                _check_area(part.filename, data)
            readable.writestr(part.filename, _ERROR.sub(rb'\1"str"', data))
    return memory.getvalue()


def _check_area(name: str, content: bytes) -> None:
    """Refuse a sheet that is damaged, or whose cells lie far apart."""
    parser = expat.ParserCreate()
    rows, columns = [MOST_ROWS, 0], [MOST_COLUMNS, 0]
    row = column = 0
    root = ""

    def element(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, root
        # With a prefix or without.
        kind = tag.rpartition(":")[2]
        root = root or kind
        if kind == "row":
            row, column = int(attributes.get("r", row + 1)), 0
        elif kind == "c" and row:
            column += 1
            own_row = row
            if "r" in attributes:
                own_row, column = _row_and_column(attributes["r"])
            if max(row, own_row) > MOST_ROWS or column > MOST_COLUMNS:
                raise ValueError(f"{name}: a cell in row {own_row}, column {column}")
            rows[:] = min(rows[0], row, own_row), max(rows[1], row, own_row)
            columns[:] = min(columns[0], column), max(columns[1], column)
            if (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1) > MOST_AREA:
                raise ValueError(f"{name}: cells in rows {rows[0]} and {rows[1]} lie too far apart")

    parser.StartElementHandler = element
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        # Other parts are calamine's to judge, or nobody's.
        if root == "worksheet":
            raise ValueError(f"{name} is damaged: {error}") from None


def _row_and_column(place: str) -> tuple[int, int]:
    """The row and the column of a cell such as `B12`, from 1."""
    found = re.fullmatch(r"([A-Za-z]{1,3})0*([0-9]{1,7})", place)
    if not found:
        raise ValueError(f"a cell at {place!r}")
    column = 0
    for letter in found[1].upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _fill(rows: Sequence[list[Any]], merged: Merged) -> Sequence[list[Any]]:
    """Give a cell that spans several rows its value in each of them that holds anything.

    One that spans columns is a title and stays in the first.
    """
    steps = 0
    for first, end, column in merged:
        last = min(end, len(rows) - 1)
        steps += max(0, last - first)
        if steps > sheets.MOST_CELLS:
            raise ValueError("the file has too many merged cells")
        value = next(iter(rows[first][column : column + 1]), "") if first <= last else ""
        for row in rows[first + 1 : last + 1]:
            if any(cell not in ("", None) for cell in row):
                row += [""] * (column + 1 - len(row))
                row[column] = value
    return rows
