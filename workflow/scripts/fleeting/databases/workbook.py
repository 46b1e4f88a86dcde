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
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.xml.constants import SHEET_MAIN_NS

from fleeting.databases import delimited, sheets
from fleeting.databases.sheets import Sheet, Workbook
from fleeting.errors import UserError

#: The tables as published hold less than a million bytes, unpacked as well.
MOST_BYTES = 32_000_000
#: The last row and the last column that a sheet can have.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
#: openpyxl holds a whole row in memory, and takes every element in it for a cell.
MOST_ELEMENTS = 20 * MOST_COLUMNS
#: How `.xlsx` files begin, which are ZIP archives.
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
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES:
            raise ValueError(f"unpacked it has {size} bytes, more than {MOST_BYTES}")
        for part in parts:
            _check_part(part.filename, archive.read(part))
    book = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=True, keep_links=False
    )
    return [sheets.make_sheet(sheet.title, _xlsx_rows(sheet)) for sheet in book.worksheets]


def _check_part(name: str, content: bytes) -> None:
    """Refuse XML that grows when it is parsed, or that openpyxl would silently read in part.

    The former is a document type declaration, which may define entities and which no workbook has;
    the latter is a sheet with rows or cells out of order.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    row = column = elements = 0

    def document_type(*_: object) -> None:
        raise ValueError(f"{name} declares a document type, maybe with entities")

    def first_element(tag: str, _: object) -> None:
        is_sheet = tag == f"{SHEET_MAIN_NS} worksheet"
        parser.StartElementHandler = row_or_cell if is_sheet else None

    def row_or_cell(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, elements
        elements += 1
        if tag == f"{SHEET_MAIN_NS} row":
            above = row
            row, column, elements = int(float(attributes.get("r", row + 1))), 0, 0
            if not above < row <= MOST_ROWS:
                raise ValueError(f"{name}: row {row} stands below row {above}")
        elif tag == f"{SHEET_MAIN_NS} c":
            left = column
            own_row, column = row, column + 1
            if "r" in attributes:
                own_row, column = coordinate_to_tuple(attributes["r"])
            if own_row != row or not left < column <= MOST_COLUMNS:
                raise ValueError(f"{name}: row {row} has cells out of place or too many")
        elif elements > MOST_ELEMENTS:
            raise ValueError(f"{name}: row {row} has more than {MOST_ELEMENTS} elements")

    parser.StartDoctypeDeclHandler = document_type
    parser.StartElementHandler = first_element
    # Pictures and the like are not XML, and openpyxl reports damaged XML.
    with contextlib.suppress(expat.ExpatError):
        parser.Parse(content, True)


def _xlsx_rows(sheet: Any) -> Iterator[Sequence[object]]:
    # A file may state a size that is too small.
    sheet.reset_dimensions()
    number = 0
    try:
        for row in sheet.iter_rows(values_only=True):
            number += 1
            yield row
    except Exception as error:
        raise ValueError(f"sheet {sheet.title!r}, below row {number}: {error}") from None


def _read_xls(content: bytes) -> list[Sheet]:
    # Ragged: one cell in the last column must not widen every row.
    book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True)
    return [
        sheets.make_sheet(
            sheet.name, ([_xls_value(cell, book) for cell in row] for row in sheet.get_rows())
        )
        for sheet in book.sheets()
    ]


def _xls_value(cell: xlrd.sheet.Cell, book: xlrd.book.Book) -> object:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(cell.value, "#ERROR")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        with contextlib.suppress(ValueError, OverflowError, xlrd.xldate.XLDateError):
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
    return cell.value
