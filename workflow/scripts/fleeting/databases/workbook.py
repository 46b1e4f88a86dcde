"""A table's file as plain text: `.xls` by xlrd, `.xlsx` by openpyxl, CSV and the like.

Formulas and links are never evaluated: a cell holds the value that was stored with the file. The
kind of file is recognised by its first bytes, since copies with a wrong ending circulate. A file
may be malicious: its size, packed and unpacked, is bounded before it is read.
"""

import contextlib
import io
import textwrap
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

import openpyxl
import xlrd
from openpyxl.worksheet._reader import WorkSheetParser

from fleeting.databases import delimited, sheets
from fleeting.databases.sheets import Sheet, Workbook
from fleeting.errors import UserError

#: The tables as published hold less than a million bytes, unpacked as well.
MOST_BYTES = 32_000_000
#: The last row and the last column that a sheet can have.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
#: How files in the Office Open XML format begin, packed parts of which they are made.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: How `.xls` files begin: a container, or, from the oldest programs, the bare records.
_XLS = (b"\xd0\xcf\x11\xe0", b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")


def read(path: Path) -> Workbook:
    """Read every sheet of a workbook, or a text table as a workbook of one sheet.

    Raises a `UserError` that names the file where it is missing, empty, too large, not a table,
    damaged or protected by a password.
    """
    content = _content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _sheets(path.name, content)
    # xlrd and openpyxl raise all kinds of errors for damaged files.
    except Exception as error:
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
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: the table cannot be read ({reason})") from None
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
    return [delimited.read(name, content)]


def _read_xlsx(content: bytes) -> list[Sheet]:
    _check_parts(content)
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    return [sheets.sheet(sheet.title, _xlsx_rows(book, sheet)) for sheet in book.worksheets]


def _check_parts(content: bytes) -> None:
    """Refuse what grows when it is unpacked or parsed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES:
            raise ValueError(f"unpacked it has {size} bytes, more than {MOST_BYTES}")
        for part in parts:
            if _declares_a_type(archive.read(part)):
                raise ValueError(f"{part.filename} declares a document type, maybe with entities")


def _declares_a_type(xml: bytes) -> bool:
    """Whether a document type stands before the first element: no workbook has one."""
    found = []

    def stop(*_: object) -> None:
        raise StopIteration

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: found.append(True)
    parser.StartElementHandler = stop
    # Pictures and the like are not XML, and openpyxl reports damaged XML.
    with contextlib.suppress(StopIteration, expat.ExpatError):
        parser.Parse(xml, True)
    return bool(found)


class _Parser(WorkSheetParser):
    """openpyxl's parser, but it names the cell that it cannot read and limits a row's width."""

    def parse_row(self, row: Any) -> Any:
        if len(row) > MOST_COLUMNS:
            raise ValueError(f"a row with {len(row)} cells")
        return super().parse_row(row)

    def parse_cell(self, element: Any) -> Any:
        try:
            return super().parse_cell(element)
        except Exception as error:
            raise ValueError(f"cell {element.get('r')}: {error}") from None


def _xlsx_rows(book: Any, sheet: Any) -> Iterator[tuple[int, Sequence[object]]]:
    """The rows that the file holds, with the numbers that it gives them.

    openpyxl's own iteration leaves out rows and cells that do not stand in order, and says nothing.
    """
    with sheet._get_source() as source:
        parser = _Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, row in parser.parse():
            values = {cell["column"]: cell["value"] for cell in row if cell["row"] == number}
            width = max(values, default=0)
            if len(values) < len(row) or width > MOST_COLUMNS or number > MOST_ROWS:
                raise ValueError(f"sheet {sheet.title!r}: row {number} has cells out of place")
            yield number, [values.get(column) for column in range(1, width + 1)]


def _read_xls(content: bytes) -> list[Sheet]:
    # Ragged: one cell in the last column must not widen every row.
    book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True)
    return [
        sheets.sheet(
            sheet.name,
            enumerate(([_xls_value(cell, book) for cell in row] for row in sheet.get_rows()), 1),
        )
        for sheet in book.sheets()
    ]


def _xls_value(cell: xlrd.sheet.Cell, book: xlrd.book.Book) -> object:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError, xlrd.xldate.XLDateError):
            return cell.value
    return cell.value
