"""Shared by the readers of CASME, CASME II and SAMM: a table with a header, numbered subjects."""

import re
from collections.abc import Iterator, Mapping

from fleeting.databases import cells, header
from fleeting.databases.reader import ClipLocation, Row, clip_folder
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

#: `onset` is no heading of the onset: in CASME's table it is a duration in milliseconds.
COLUMNS: header.Headings = {
    "subject": ("subject", "subjects"),
    "clip": ("filename",),
    "onset": ("onsetframe", "onsetf"),
    "apex": ("apexframe", "apexf", "apexf1"),
    "offset": ("offsetframe", "offsetf"),
    "emotion": ("estimatedemotion", "emotion", "emotions"),
}
ACTION_UNITS: header.Headings = {"action_units": ("actionunits", "actionunit", "aus", "au")}
OBJECTIVE_CLASS: header.Headings = {"objective_class": ("objectiveclasses", "objectiveclass")}


def rows(workbook: Workbook, optional: header.Headings, subject: str) -> Iterator[Row]:
    """All rows of a table below its header.

    Args:
        workbook: the table.
        optional: the columns that it may have besides `COLUMNS`.
        subject: the format of a subject's canonical name, such as `sub{:02d}`.
    """
    for table_row, row in header.rows(workbook, COLUMNS, optional):
        number = cells.subject_number(row["subject"])
        name = subject.format(number) if number else ""
        yield Row(table_row, row, name, extra=("objective_class",))


def clip_locations(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[ClipLocation, ...]:
    """The subject's folder, with a prefix or zeros or without, and the clip's folder in it."""
    number = int(subject.removeprefix("sub"))
    return (ClipLocation((re.compile(rf"((sub|s)[ _-]?)?0*{number}"), clip_folder(clip))),)
