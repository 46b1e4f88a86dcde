"""Checks of rows that all databases share: why a row, or one of its images, cannot be used.

A problem is a code, for code, and a detail, for people.
"""

from dataclasses import dataclass

from fleeting import paths
from fleeting.databases import cells
from fleeting.databases.reader import Row

Problem = tuple[str, str]


@dataclass(frozen=True)
class StatedFrames:
    """The frame numbers in a row; None where it has no such cell, or something else in it."""

    onset: int | None
    apex: int | None
    offset: int | None


def stated_frames(row: Row) -> StatedFrames:
    """The frame numbers that a row states.

    A table without a column of onsets, possible where each row names a ready picture, has 0.
    """
    onset: int | None = 0
    if "onset" in row.cells:
        onset = None if _is_missing(row, "onset") else cells.integer(row.cells["onset"])
    return StatedFrames(onset, _number(row, "apex"), _number(row, "offset"))


def cause(code: str) -> str:
    """The likely cause where many rows have a problem of this code, and what to do about it."""
    field, _, problem = code.partition("_")
    if problem == "missing" and field in ("subject", "clip"):
        return (
            f"If the table names the {field} once for several rows, write it into each row, or "
            "merge these cells: merged cells are read as if each held the value."
        )
    if problem == "name_missing":
        return cause("clip_missing")
    if problem == "not_a_number":
        return (
            f"The cells of the column {field} have another form than a frame number here, such as "
            "a unit or a time: write plain numbers."
        )
    if problem == "unknown" and field == "subject":
        return "Check that the table is of this database and that the subject's column is right."
    return {
        "offset_before_onset": "Check that these columns are onset and offset as frame numbers.",
        "apex_out_of_order": "Check that the three columns are frame numbers of one count.",
        "apex_missing": "If it is not annotated, `apex` of an input searches for it, and "
        "`annotations: {apex: midpoint}` takes the middle.",
        "duplicated_key": "The rows may stand in the table twice.",
        "unsafe_name": "Rename these subjects or clips, in the table and on disk.",
    }.get(code, "")


def row_problem(row: Row, stated: StatedFrames, subjects: str) -> Problem | None:
    """Why a row cannot become a sample, or None.

    Args:
        row: the row as its reader gives it.
        stated: its frame numbers.
        subjects: how a subject looks in the table, for messages.
    """
    if row.excluded:
        return row.excluded
    if not row.subject:
        if cells.is_missing(row.cells["subject"]):
            return "subject_missing", _content(row, "subject")
        return "subject_unknown", f"{row.cells['subject']!r} is not {subjects}"
    if _is_missing(row, "clip"):
        return "clip_name_missing", _content(row, "clip")
    for name in (row.subject, row.cells["clip"]):
        if not paths.is_safe_name(name):
            return "unsafe_name", f"{name!r} cannot be the name of a folder"
    if stated.onset is None:
        if _is_missing(row, "onset"):
            return "onset_missing", _content(row, "onset")
        return "onset_not_a_number", f"{row.cells['onset']!r} is not a frame number"
    if _is_missing(row, "emotion"):
        return "emotion_missing", _content(row, "emotion")
    if stated.offset is not None and stated.offset < stated.onset:
        return "offset_before_onset", f"onset {stated.onset}, offset {stated.offset}"
    return None


def duplicate_problem(row: Row, earlier: Row) -> Problem:
    """The problem of a row that repeats the subject, clip and onset of an earlier one."""
    ours, theirs = (either.cells["emotion"].casefold() for either in (row, earlier))
    agreement = f"both {ours}" if ours == theirs else f"{theirs} there, {ours} here"
    return (
        "duplicated_key",
        f"same subject, clip and onset as row {earlier.table_row}; labels: {agreement}",
    )


def offset_problem(row: Row, stated: StatedFrames) -> Problem | None:
    """Why a row has no image of the offset, or None; a whole table may lack the column."""
    if stated.offset is None and "offset" in row.cells:
        return _no_number(row, "offset")
    return None


def apex_problem(row: Row, onset: int, stated: StatedFrames) -> Problem | None:
    """Why the apex of a row cannot be used as stated, or None."""
    apex, offset = stated.apex, stated.offset
    if apex is None:
        return _no_number(row, "apex")
    if apex < onset or (offset is not None and apex > offset):
        end = "missing" if offset is None else offset
        return "apex_out_of_order", f"onset {onset}, apex {apex}, offset {end}"
    return None


def _number(row: Row, field: str) -> int | None:
    cell = row.cells.get(field, "")
    return None if cells.is_missing(cell) else cells.integer(cell)


def _is_missing(row: Row, field: str) -> bool:
    cell = row.cells[field]
    return cells.is_missing(cell) and not (row.zero_is_value and cells.integer(cell) == 0)


def _no_number(row: Row, phase: str) -> Problem:
    is_missing = cells.is_missing(row.cells.get(phase, ""))
    return f"{phase}_{'missing' if is_missing else 'not_a_number'}", _content(row, phase)


def _content(row: Row, field: str) -> str:
    if field not in row.cells:
        return "the table has no such column"
    cell = row.cells[field]
    return f"the cell holds {cell}" if cell else "the cell is empty"
