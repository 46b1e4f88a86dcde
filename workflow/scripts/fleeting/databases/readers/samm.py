"""SAMM: one sheet with its header in row 14 or 1; subjects and their folders `006/006_1_2`."""

import re
from collections.abc import Iterable, Mapping

from fleeting.databases import numbered_subjects
from fleeting.databases.numbered_subjects import ACTION_UNITS, OBJECTIVE_CLASS
from fleeting.databases.reader import ENDINGS, ClipLocation, Row, clip_folder
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

TABLE_NAME = re.compile(r"(?!.*long[ _-]?video)(samm|micro_facs).*" + ENDINGS)
TABLE_EXAMPLES = ("SAMM_Micro_FACS_Codes_v2.xlsx",)
SUBJECTS = "a number (006 or 6)"


class Settings(DatabaseSettings):
    """No keys beyond those that all readers share."""


def rows(workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
    """All rows of the table below its header."""
    return numbered_subjects.rows(workbook, {**ACTION_UNITS, **OBJECTIVE_CLASS}, "{:03d}")


def clip_locations(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[ClipLocation, ...]:
    """The subject's folder and the clip's in it, or the clip's alone, which names the subject."""
    found = numbered_subjects.clip_locations(subject, clip, extra, settings)
    if re.match(rf"0*{int(subject)}_", clip):
        found += (ClipLocation((clip_folder(clip),)),)
    return found
