"""CASME: one `.xls` sheet with a header; subjects 1 to 19, folders `sub01`."""

import re
from collections.abc import Iterable, Mapping

from fleeting.databases import cells, header
from fleeting.databases.reader import (
    ENDINGS,
    Place,
    Row,
    clip_folder,
    row_of,
    subject_folder,
)
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

TABLE_NAME = re.compile(r"casme(?![ _-]?(2(?![0-9])|ii|\^|\())(?!.*code_final).*" + ENDINGS)
TABLE_EXAMPLES = ("CASME-coded-20190721.xls", "CASME.xls", "casme.xlsx")
SUBJECTS = "a number (1 or sub01)"

# `Onset` and `Total` are durations in milliseconds, so neither stands among the headings here.
COLUMNS: header.Columns = {
    "subject": ("subject", "subjects"),
    "clip": ("filename",),
    "onset": ("onsetf", "onsetframe"),
    "apex": ("apexf1", "apexf", "apexframe"),
    "offset": ("offsetf", "offsetframe"),
    "emotion": ("emotion", "estimatedemotion", "emotions"),
}
OPTIONAL: header.Columns = {"action_units": ("au", "aus", "actionunits", "actionunit")}


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    for table_row, row in header.rows(workbook, COLUMNS, OPTIONAL):
        number = cells.numbered(row["subject"], "sub")
        subject = f"sub{number:02d}" if number else ""
        yield row_of(table_row, row, subject)


def places(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[Place, ...]:
    """`sub01/EP01_12`, below a section's folder or not."""
    return (Place((subject_folder("sub|s", int(subject[3:])), clip_folder(clip))),)
