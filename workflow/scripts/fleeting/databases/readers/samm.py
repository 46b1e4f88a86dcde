"""SAMM: one sheet with its header in row 14 or 1; subjects and their folders `006/006_1_2`."""

import re
from collections.abc import Iterable

from fleeting.databases import numbered_subjects
from fleeting.databases.numbered_subjects import ACTION_UNITS, OBJECTIVE_CLASS
from fleeting.databases.reader import ENDINGS, Row
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

TABLE_NAME = re.compile(r"(?!.*long[ _-]?video)(samm|micro_facs).*" + ENDINGS)
TABLE_EXAMPLES = ("SAMM_Micro_FACS_Codes_v2.xlsx",)
SUBJECTS = "a number (006 or 6)"

clip_locations = numbered_subjects.clip_locations


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    return numbered_subjects.rows(workbook, {**ACTION_UNITS, **OBJECTIVE_CLASS}, "{:03d}")
