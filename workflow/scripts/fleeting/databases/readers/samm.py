"""SAMM: one sheet with its header in row 14 or 1; subjects and their folders `006`."""

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

TABLE_NAME = re.compile(r"(?!.*long[ _-]?video)(samm|micro_facs).*" + ENDINGS)
TABLE_EXAMPLES = ("SAMM_Micro_FACS_Codes_v2.xlsx",)
SUBJECTS = "a number (006 or 6)"

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
    "objective_class": ("objectiveclasses", "objectiveclass"),
}


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    for table_row, row in header.rows(workbook, COLUMNS, OPTIONAL):
        number = cells.numbered(row["subject"], "sub")
        subject = f"{number:03d}" if number else ""
        yield row_of(table_row, row, subject, extra=("objective_class",))


def places(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[Place, ...]:
    """`006/006_1_2`."""
    return (Place((subject_folder("sub|s", int(subject)), clip_folder(clip))),)
