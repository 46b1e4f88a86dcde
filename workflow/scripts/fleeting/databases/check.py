"""The checks of one row of a table that hold for all databases."""

from fleeting import paths
from fleeting.databases import cells, reader
from fleeting.databases.reader import Row

#: The rows that became samples, by subject, folded clip name and onset.
Seen = dict[tuple[str, str, int], Row]


class Excluded(Exception):
    """A row that cannot become a sample, with a code and a detail."""

    def __init__(self, code: str, detail: str) -> None:
        """Take the code and the detail of the exclusion."""
        super().__init__(code, detail)
        self.code, self.detail = code, detail


def onset_of(row: Row, subjects: str, seen: Seen) -> int:
    """The onset of a row that may become a sample, which is noted in `seen`.

    A table without a column of onsets, possible where each row names a ready picture, has 0.

    Args:
        row: the row as its reader gives it.
        subjects: how a subject looks in the table, for messages.
        seen: the rows so far.

    Raises `Excluded` for a row that cannot become a sample.
    """
    if row.excluded:
        raise Excluded(*row.excluded)
    if not row.subject:
        if cells.is_missing(row.subject_cell):
            raise Excluded("subject_missing", holds(row.subject_cell))
        raise Excluded("subject_unknown", f"{row.subject_cell!r} is not {subjects}")
    if _is_missing(row, row.clip):
        raise Excluded("clip_name_missing", holds(row.clip))
    for name in (row.subject, row.clip):
        if not paths.is_safe_name(name):
            raise Excluded("unsafe_name", f"{name!r} cannot be the name of a folder")
    onset = _onset(row)
    if _is_missing(row, row.emotion):
        raise Excluded("emotion_missing", holds(row.emotion))
    offset = frame(row.offset)
    if offset is not None and offset < onset:
        raise Excluded("offset_before_onset", f"onset {onset}, offset {offset}")
    # Case is folded since two such folders would be one on some file systems.
    earlier = seen.setdefault((row.subject, reader.fold(row.clip), onset), row)
    if earlier is not row:
        ours, theirs = row.emotion.casefold(), earlier.emotion.casefold()
        agreement = f"both {ours}" if ours == theirs else f"{theirs} there, {ours} here"
        raise Excluded(
            "duplicated_key",
            f"same subject, clip and onset as row {earlier.table_row}; labels: {agreement}",
        )
    return onset


def apex_problem(
    row: Row, onset: int, apex: int | None, offset: int | None
) -> tuple[str, str] | None:
    """Code and detail of an apex that cannot be used as stated, or None."""
    if apex is None:
        return f"apex_{why_no_number(row.apex)}", holds(row.apex)
    if apex < onset or (offset is not None and apex > offset):
        stated = "missing" if offset is None else offset
        return "apex_out_of_order", f"onset {onset}, apex {apex}, offset {stated}"
    return None


def stated_onset(row: Row) -> int | None:
    """The onset that the row states, or None if it states none."""
    if row.onset is None:
        return 0
    return None if _is_missing(row, row.onset) else cells.integer(row.onset)


def frame(cell: str | None) -> int | None:
    """The frame number in a cell, or None if there is no such column or no number in it."""
    return None if cell is None or cells.is_missing(cell) else cells.integer(cell)


def why_no_number(cell: str | None) -> str:
    """What a code says of a cell without a number: `missing` or `not_a_number`."""
    return "missing" if cell is None or cells.is_missing(cell) else "not_a_number"


def holds(cell: str | None) -> str:
    """What a detail says of a cell."""
    if cell is None:
        return "the table has no such column"
    return f"the cell holds {cell}" if cell else "the cell is empty"


def _onset(row: Row) -> int:
    if row.onset is not None and _is_missing(row, row.onset):
        raise Excluded("onset_missing", holds(row.onset))
    onset = stated_onset(row)
    if onset is None:
        raise Excluded("onset_not_a_number", f"{row.onset!r} is not a frame number")
    return onset


def _is_missing(row: Row, cell: str) -> bool:
    return cells.is_missing(cell) and not (row.zero_is_value and cells.integer(cell) == 0)
