"""CAS(ME)^2: a sheet without a header and two naming rules; subjects by index, folders `s15`.

The clip's name gives the stimulus video, not the emotion. Which of the two label columns is the
emotion is a setting.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from fleeting.databases import cells
from fleeting.databases.reader import ENDINGS, ClipLocation, Row, clip_folder
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Sheet, Workbook, cell_at
from fleeting.errors import UserError

log = logging.getLogger(__name__)

TABLE_NAME = re.compile(
    r"(cas([ _]?\(me\)[ _^]*|_me[ _^]*|me\^)2(?![0-9]).*|.*code_final.*)" + ENDINGS
)
TABLE_EXAMPLES = ("CAS(ME)^2code_final(Updated).xlsx", "CAS(ME)2code_final.xlsx")
SUBJECTS = "an index of the sheet `naming rule1` (1 to 22)"

EXTRA = ("self_reported", "estimated", "expression_type", "video_code", "recording")

_FOLDERS = (15, 16, *range(19, 28), *range(29, 39), 40)
#: Index in the table -> subject, as in `naming rule1`; used where the file lacks that sheet.
INDEX_TO_SUBJECT = {str(index): f"s{number}" for index, number in enumerate(_FOLDERS, start=1)}
#: Stimulus in the clip's name -> code in a long video's folder, as in `naming rule2`.
STIMULUS_TO_CODE = {
    "disgust1": "0101",
    "disgust2": "0102",
    "anger1": "0401",
    "anger2": "0402",
    "happy1": "0502",
    "happy2": "0503",
    "happy3": "0505",
    "happy4": "0507",
    "happy5": "0508",
}

_TYPE = re.compile(r"(micro|macro)\W*(expressions?)?", re.IGNORECASE)
_CLIP = re.compile(r"[a-z]+[0-9]+_[0-9]+", re.IGNORECASE)
_SUBJECT = re.compile(r"s0*([0-9]{1,3})", re.IGNORECASE)
_STIMULUS = re.compile(r"[a-z]+[0-9]+", re.IGNORECASE)


class Settings(DatabaseSettings):
    """The keys of this database's block."""

    label: Literal["self_reported", "estimated"] = Field(
        "self_reported", description="Which of its two emotion columns is the label."
    )
    expression_types: list[Literal["micro", "macro"]] = Field(
        ["micro"], min_length=1, description="Which expressions are used."
    )


def rows(workbook: Workbook, settings: Settings) -> Iterable[Row]:
    """All rows of the data sheet."""
    sheet = _data_sheet(workbook)
    columns = _columns(workbook, sheet)
    subjects = _subjects(workbook)
    codes = _codes(workbook)
    for table_row, row in sheet.rows:
        cell = {field: cell_at(row, column) for field, column in columns.items()}
        number = cells.integer(cell["subject"])
        named = _SUBJECT.fullmatch(cell["subject"])
        subject = subjects.get(str(number), "")
        if named and f"s{int(named[1])}" in subjects.values():
            subject = f"s{int(named[1])}"
        kind = _TYPE.fullmatch(cell["expression_type"])
        cell["emotion"] = cell[settings.label]
        cell["self_reported"] = cell["self_reported"].casefold()
        cell["estimated"] = cell["estimated"].casefold()
        if kind:
            cell["expression_type"] = kind[1].casefold()
        # anger1_1 and anger1_2 are cut from one video of the subject watching anger1.
        cell["recording"] = cell["clip"].casefold().split("_")[0]
        cell["video_code"] = codes.get(cell["recording"], "")
        excluded = _unwanted(cell["expression_type"], settings.expression_types)
        yield Row(table_row, cell, subject, EXTRA, excluded)


def clip_locations(
    subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
) -> tuple[ClipLocation, ...]:
    """The clip `s15/anger1_1` first, then the long video `s15/15_0401girlcrashing`.

    Frame numbers are those of the long video in both. Only the long video's code is matched, for
    the rest of its name has typing errors.
    """
    number = int(subject.removeprefix("s"))
    folder = re.compile(rf"s?0*{number}_?")
    found = [ClipLocation((folder, clip_folder(clip)))]
    if extra.get("video_code"):
        code = re.escape(extra["video_code"])
        video = re.compile(rf"(s?0*{number}[ _-]?)?{code}(?![0-9]).*")
        found.append(ClipLocation((folder, video)))
    return tuple(found)


def _unwanted(kind: str, wanted: Sequence[str]) -> tuple[str, str] | None:
    """Code and detail of a row whose expression type is not wanted, or None."""
    if kind in wanted:
        return None
    if kind in ("micro", "macro"):
        return "expression_type_not_wanted", f"{kind}; wanted: {', '.join(wanted)}"
    return "expression_type_unknown", f"{kind!r} is neither micro nor macro"


def _data_sheet(workbook: Workbook) -> Sheet:
    counts = [
        sum(any(_TYPE.fullmatch(cell) for cell in row) for _, row in sheet.rows)
        for sheet in workbook.sheets
    ]
    if not any(counts):
        raise UserError(
            f"{workbook.path}: no sheet has a column of micro-expression and macro-expression; "
            "give the coding file of CAS(ME)^2, as it was distributed"
        )
    chosen = workbook.sheets[counts.index(max(counts))]
    for sheet, count in zip(workbook.sheets, counts, strict=True):
        if count and sheet is not chosen:
            log.warning(
                "Warning: %s: took sheet %r; sheet %r has %d rows of expressions too, which are "
                "not read. Join the sheets if they hold other clips",
                *(workbook.path.name, chosen.name, sheet.name, count),
            )
    return chosen


def _columns(workbook: Workbook, sheet: Sheet) -> dict[str, int]:
    """Columns by content: clip and expression type by their cells, the others by their order."""
    filled = sorted({column for _, row in sheet.rows for column, cell in enumerate(row) if cell})
    clip = _best_match(sheet, filled, _CLIP)
    kind = _best_match(sheet, filled, _TYPE)
    if clip is None or kind is None or clip < 1 or kind < clip + 6 or kind + 1 >= len(filled):
        raise UserError(
            f"{workbook.location(sheet)}: the columns are not those of CAS(ME)^2: "
            "subject index, clip (anger1_1), onset, apex, offset, action units, estimated emotion, "
            "expression type, self-reported emotion"
        )
    return {
        "subject": filled[clip - 1],
        "clip": filled[clip],
        "onset": filled[clip + 1],
        "apex": filled[clip + 2],
        "offset": filled[clip + 3],
        "action_units": filled[clip + 4],
        "estimated": filled[kind - 1],
        "expression_type": filled[kind],
        "self_reported": filled[kind + 1],
    }


def _best_match(sheet: Sheet, columns: list[int], pattern: re.Pattern[str]) -> int | None:
    """The position in `columns` of the one in which most cells match; None if none matches."""
    counts = [
        sum(pattern.fullmatch(cell_at(row, column)) is not None for _, row in sheet.rows)
        for column in columns
    ]
    return counts.index(max(counts)) if any(counts) else None


def _short_rows(workbook: Workbook, length: int) -> Iterator[tuple[str, list[str]]]:
    """The rows of all sheets with this many filled cells: their locations, and these cells."""
    for sheet in workbook.sheets:
        for table_row, row in sheet.rows:
            filled = [cell for cell in row if cell]
            if len(filled) == length:
                yield workbook.location(sheet, table_row), filled


def _subjects(workbook: Workbook) -> dict[str, str]:
    """Index -> subject from the sheet with rows such as `15, s15, 1`, or else the known ones."""
    found: dict[str, str] = {}
    for location, (number, name, index_cell) in _short_rows(workbook, 3):
        named = _SUBJECT.fullmatch(name)
        index = cells.integer(index_cell)
        if not named or not index or cells.integer(number) != int(named[1]):
            continue
        subject = f"s{int(named[1])}"
        if found.setdefault(str(index), subject) != subject:
            raise UserError(
                f"{location}: index {index} is {found[str(index)]} in a row above and {subject} "
                "here; correct the sheet"
            )
    return found or INDEX_TO_SUBJECT


def _codes(workbook: Workbook) -> dict[str, str]:
    """Stimulus -> code from the sheet with rows such as `0101, disgust1`, or the known one."""
    found = dict(STIMULUS_TO_CODE)
    for _, (code_cell, stimulus) in _short_rows(workbook, 2):
        code = cells.integer(code_cell)
        # A spreadsheet program turns 0101 into the number 101.
        if code and code <= 9999 and _STIMULUS.fullmatch(stimulus):
            found[stimulus.casefold()] = f"{code:04d}"
    return found
