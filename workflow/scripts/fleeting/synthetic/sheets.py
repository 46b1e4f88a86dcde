"""Workbooks with the same bytes every time: no times inside."""

import io
import zipfile
from pathlib import Path

from openpyxl import Workbook

from fleeting.files import write_bytes

#: The first moment that a zip file can name.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: Holds who saved the workbook and when; a workbook needs neither.
PROPERTIES = "docProps/core.xml"
NO_PROPERTIES = (
    "<cp:coreProperties xmlns:cp="
    '"http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)


def save(workbook: Workbook, path: Path) -> None:
    """Save an .xlsx workbook, whole or not at all."""
    saved = io.BytesIO()
    workbook.save(saved)
    packed = io.BytesIO()
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(packed, "w") as target:
        for name in source.namelist():
            content = NO_PROPERTIES.encode() if name == PROPERTIES else source.read(name)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    write_bytes(packed.getvalue(), path)


def number_or_text(cell: str) -> int | str:
    """A cell as a spreadsheet program stores what a person types: digits become a number."""
    return int(cell) if cell.isdigit() else cell
