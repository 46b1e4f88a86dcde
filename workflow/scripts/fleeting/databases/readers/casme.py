"""CASME: one `.xls` sheet with a header; subjects 1 to 19, folders `sub01/EP01_12`."""

import re
from collections.abc import Iterable

from fleeting.databases import numbered_subjects
from fleeting.databases.reader import ENDINGS, Row
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

TABLE_NAME = re.compile(r"casme(?![ _-]?(2(?![0-9])|ii|\^|\())(?!.*code_final).*" + ENDINGS)
TABLE_EXAMPLES = ("CASME-coded-20190721.xls", "CASME.xls", "casme.xlsx")
SUBJECTS = "a number (1 or sub01)"

clip_locations = numbered_subjects.clip_locations


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    return numbered_subjects.rows(workbook, numbered_subjects.ACTION_UNITS, "sub{:02d}")
