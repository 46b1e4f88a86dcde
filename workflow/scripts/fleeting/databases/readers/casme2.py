"""CASME II: one sheet with a header among empty ones; subjects 01 to 26, `sub01/EP02_01f`."""

import re
from collections.abc import Iterable

from fleeting.databases import numbered_subjects
from fleeting.databases.numbered_subjects import ACTION_UNITS, OBJECTIVE_CLASS
from fleeting.databases.reader import ENDINGS, Row
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

TABLE_NAME = re.compile(r"casme[ _-]?(2(?![0-9])|ii)(?!.*code_final).*" + ENDINGS)
TABLE_EXAMPLES = ("CASME2-coding-20190701.xlsx", "CASME2-coding-20140508.xlsx")
SUBJECTS = "a number (01 or sub01)"

clip_locations = numbered_subjects.clip_locations


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header; only that of 2019 has objective classes."""
    return numbered_subjects.rows(workbook, {**ACTION_UNITS, **OBJECTIVE_CLASS}, "sub{:02d}")
