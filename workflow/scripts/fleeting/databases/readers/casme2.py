"""CASME II: one sheet with a header among empty ones; subjects 01 to 26, folders `sub01`."""

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

TABLE_NAME = re.compile(r"casme[ _-]?(2(?![0-9])|ii)(?!.*code_final).*" + ENDINGS)
TABLE_EXAMPLES = ("CASME2-coding-20190701.xlsx", "CASME2-coding-20140508.xlsx")
SUBJECTS = "a number (01 or sub01)"

COLUMNS: header.Columns = {
    "subject": ("subject", "subjects"),
    "clip": ("filename",),
    "onset": ("onsetframe", "onsetf"),
    "apex": ("apexframe", "apexf", "apexf1"),
    "offset": ("offsetframe", "offsetf"),
    "emotion": ("estimatedemotion", "emotion", "emotions"),
}
OPTIONAL: header.Columns = {
    "action_units": ("actionunits", "actionunit", "au", "aus"),
    # Only the table of 2019 has it.
    "objective_class": ("objectiveclasses", "objectiveclass"),
}


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    for table_row, row in header.rows(workbook, COLUMNS, OPTIONAL):
        number = cells.numbered(row["subject"], "sub")
        subject = f"sub{number:02d}" if number else ""
        yield row_of(table_row, row, subject, extra=("objective_class",))


def places(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[Place, ...]:
    """`sub01/EP02_01f`."""
    return (Place((subject_folder("sub|s", int(subject[3:])), clip_folder(clip))),)
