"""Workbooks as plain text: `.xls` by xlrd, `.xlsx` by openpyxl.

Formulas and links are never evaluated: a cell holds the value that was stored with the file. The
kind of file is told by its first bytes, since copies with the wrong ending circulate.
"""

import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import xlrd

from fleeting.databases import cells
from fleeting.databases.sheets import Sheet, Workbook
from fleeting.errors import UserError


def read(path: Path) -> Workbook:
    """Read every sheet of a workbook.

    Raises a `UserError` that names the file where it is missing, empty, not a workbook, damaged or
    protected by a password.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: the table is missing; check the path in the config") from None
    except OSError as error:
        raise UserError(f"{path}: the table cannot be read ({error.strerror})") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheets = _sheets(content)
    # The two libraries raise whatever a damaged file makes them stumble over.
    except Exception as error:
        raise UserError(
            f"{path}: not a readable Excel workbook ({type(error).__name__}: {error}); it must be "
            ".xls or .xlsx without a password. Open it in a spreadsheet program and save it anew"
        ) from None
    return Workbook(path, tuple(sheets))


def _sheets(content: bytes) -> list[Sheet]:
    if not content:
        raise ValueError("the file is empty")
    if content.startswith(b"PK"):
        return _read_xlsx(content)
    return _read_xls(content)


def _read_xlsx(content: bytes) -> list[Sheet]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    sheets = []
    for sheet in book.worksheets:
        # The size that a file states for a sheet can be wrong and would cut it off.
        sheet.reset_dimensions()
        sheets.append(_sheet(sheet.title, sheet.iter_rows(values_only=True)))
    return sheets


def _read_xls(content: bytes) -> list[Sheet]:
    book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
    return [
        _sheet(sheet.name, ([_xls_value(cell, book) for cell in row] for row in sheet.get_rows()))
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


def _sheet(name: str, rows: Iterable[Iterable[object]]) -> Sheet:
    kept = []
    for number, row in enumerate(rows, start=1):
        texts = [cells.text(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            kept.append((number, tuple(texts)))
    return Sheet(name, tuple(kept))
