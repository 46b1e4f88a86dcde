"""Workbooks with the same bytes every time: no times inside."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import xlwt
from openpyxl import Workbook

from fleeting.files import write_bytes

Cell = int | float | str | None
#: The rows of each sheet, from the first one on.
Sheets = Mapping[str, Sequence[Sequence[Cell]]]
#: The first moment that a zip file can name.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: Holds who saved the workbook and when; a workbook needs neither.
PROPERTIES = "docProps/core.xml"
NO_PROPERTIES = (
    "<cp:coreProperties xmlns:cp="
    '"http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)


def write_xlsx(sheets: Sheets, path: Path) -> None:
    """Write a workbook, whole or not at all."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    saved, packed = io.BytesIO(), io.BytesIO()
    workbook.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(packed, "w") as target:
        for name in source.namelist():
            content = NO_PROPERTIES.encode() if name == PROPERTIES else source.read(name)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    write_bytes(packed.getvalue(), path)


def write_xls(sheets: Sheets, path: Path) -> None:
    """Write a workbook of Excel 97 to 2003, whole or not at all."""
    workbook = xlwt.Workbook(encoding="utf-8")
    for title, rows in sheets.items():
        sheet = workbook.add_sheet(title)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell is not None:
                    sheet.write(row, column, cell)
    saved = io.BytesIO()
    workbook.save(saved)
    write_bytes(saved.getvalue(), path)
