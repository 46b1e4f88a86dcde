"""From a database's table to samples: each row becomes one, or stands with its reason.

Checks that hold for all databases live here; what differs lives in the readers. Emotions are only
stripped and case-folded: which class one belongs to is the experiment's choice.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fleeting import paths
from fleeting.databases import cells, reader, settings, workbook
from fleeting.databases.reader import Options, Reader, Row
from fleeting.errors import UserError

log = logging.getLogger(__name__)

STAGE = "annotations"
#: A cell can hold 32,767 signs, and its row would fill the report.
LONGEST_DETAIL = 300
APEX_POLICIES = ("drop", "midpoint")


class _Excluded(Exception):
    """A row that cannot become a sample, with its reason and detail."""


@dataclass
class Extraction:
    """The rows of the stage's tables, in the order of the database's table."""

    samples: list[dict[str, object]] = field(default_factory=list)
    excluded: list[dict[str, object]] = field(default_factory=list)
    substituted: list[dict[str, object]] = field(default_factory=list)
    rows: int = 0

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Samples, exclusions and substitutions as tables."""
        return (
            pd.DataFrame(self.samples),
            pd.DataFrame(self.excluded),
            pd.DataFrame(self.substituted),
        )


def extract(database: str, path: Path, options: Options, apex_policy: str) -> Extraction:
    """Read a database's table.

    Args:
        database: a reader's name.
        path: the table, `.xls` or `.xlsx`.
        options: what the config sets for this reader.
        apex_policy: for an apex that is missing or not within onset and offset: `drop` leaves that
            image out, `midpoint` takes floor((onset + offset) / 2).

    Raises a `UserError` where the file is not the table, or where no row becomes a sample.
    """
    if apex_policy not in APEX_POLICIES:
        raise UserError(f"annotations.apex: {apex_policy!r} is not {' or '.join(APEX_POLICIES)}")
    options = settings.options(database, options)
    database_reader = reader.load(database)
    result = Extraction()
    first: dict[tuple[str, str, int], Row] = {}
    for row in database_reader.rows(workbook.read(path), options):
        result.rows += 1
        try:
            onset = _checked(row, database_reader, options, first)
        except _Excluded as error:
            reason, detail = error.args
            result.excluded.append(
                _exclusion(database, row, _sample_if_named(database, row), "", reason, detail)
            )
        else:
            _add(result, database, path.name, row, onset, apex_policy)
    if not result.samples:
        raise UserError(f"{path}: no row of {database} is usable. {_reasons(result)}")
    return result


def report(database: str, result: Extraction) -> None:
    """Print the accounting of the rows by reason."""
    log.info(
        "%s: %d rows read = %d samples + %d left out. %s",
        database,
        result.rows,
        len(result.samples),
        sum(not row["image"] for row in result.excluded),
        _reasons(result),
    )


def _checked(
    row: Row,
    database_reader: Reader,
    options: Options,
    first: dict[tuple[str, str, int], Row],
) -> int:
    """The onset of a row that may become a sample; raises `_Excluded` for any other row."""
    wanted = options.get("expression_types")
    kind = row.extra.get("expression_type", "")
    if isinstance(wanted, list) and kind not in wanted:
        if kind in ("micro", "macro"):
            raise _Excluded("expression_type_not_wanted", f"{kind}; wanted: {', '.join(wanted)}")
        raise _Excluded("expression_type_unknown", f"{kind!r} is neither micro nor macro")
    if not row.subject:
        if cells.is_missing(row.subject_cell):
            raise _Excluded("subject_missing", _holds(row.subject_cell))
        raise _Excluded(
            "subject_unknown", f"{row.subject_cell!r} is not {database_reader.SUBJECTS}"
        )
    if cells.is_missing(row.clip):
        raise _Excluded("clip_name_missing", _holds(row.clip))
    if not (paths.is_safe_name(row.subject) and paths.is_safe_name(row.clip)):
        raise _Excluded("unsafe_name", f"{row.clip!r} cannot be the name of a folder")
    if cells.is_missing(row.onset):
        raise _Excluded("onset_missing", _holds(row.onset))
    onset = cells.integer(row.onset)
    if onset is None:
        raise _Excluded("onset_not_a_number", f"{row.onset!r} is not a frame number")
    if cells.is_missing(row.emotion):
        raise _Excluded("emotion_missing", _holds(row.emotion))
    offset = _frame(row.offset)
    if offset is not None and offset < onset:
        raise _Excluded("offset_before_onset", f"onset {onset}, offset {offset}")
    # Case is folded since two such folders would be one on some file systems.
    earlier = first.setdefault((row.subject, reader.fold(row.clip), onset), row)
    if earlier is not row:
        ours, theirs = _emotion(row), _emotion(earlier)
        agreement = f"both {ours}" if ours == theirs else f"{theirs} there, {ours} here"
        raise _Excluded(
            "duplicated_key",
            f"same subject, clip and onset as row {earlier.table_row}; labels: {agreement}",
        )
    return onset


def _add(
    result: Extraction, database: str, table: str, row: Row, onset: int, apex_policy: str
) -> None:
    sample = paths.sample_name(database, row.subject, row.clip, onset)
    offset = _frame(row.offset)
    if offset is None:
        problem = (f"offset_{_why_no_number(row.offset)}", _holds(row.offset))
        _leave_image_out(result, database, row, sample, "offset", problem)
    apex = _frame(row.apex)
    wrong = _apex_problem(row, onset, apex, offset)
    if wrong and apex_policy == "midpoint" and offset is not None:
        apex = (onset + offset) // 2
        result.substituted.append(
            {
                "database": database,
                "table_row": row.table_row,
                "sample": sample,
                "image": paths.image_name(sample, "apex"),
                "stage": STAGE,
                "stated": row.apex,
                "used": apex,
                "reason": f"{wrong[0]}_midpoint_taken",
            }
        )
    elif wrong:
        apex = None
        _leave_image_out(result, database, row, sample, "apex", wrong)
    extra = {name: "" if cells.is_missing(cell) else cell for name, cell in row.extra.items()}
    result.samples.append(
        {
            "sample": sample,
            "database": database,
            "subject": row.subject,
            "clip": row.clip,
            "onset": onset,
            "apex": "" if apex is None else apex,
            "offset": "" if offset is None else offset,
            "emotion": _emotion(row),
            "action_units": "" if cells.is_missing(row.action_units) else row.action_units,
            "table": table,
            "table_row": row.table_row,
            **extra,
        }
    )


def _apex_problem(
    row: Row, onset: int, apex: int | None, offset: int | None
) -> tuple[str, str] | None:
    """Reason and detail of an apex that cannot be used as stated, or None."""
    if apex is None:
        return f"apex_{_why_no_number(row.apex)}", _holds(row.apex)
    if apex < onset or (offset is not None and apex > offset):
        stated = "missing" if offset is None else offset
        return "apex_out_of_order", f"onset {onset}, apex {apex}, offset {stated}"
    return None


def _leave_image_out(
    result: Extraction,
    database: str,
    row: Row,
    sample: str,
    phase: str,
    problem: tuple[str, str],
) -> None:
    image = paths.image_name(sample, phase)
    result.excluded.append(_exclusion(database, row, sample, image, *problem))


def _exclusion(
    database: str, row: Row, sample: str, image: str, reason: str, detail: str
) -> dict[str, object]:
    return {
        "database": database,
        "table_row": row.table_row,
        "sample": sample,
        "image": image,
        "stage": STAGE,
        "reason": reason,
        "detail": detail
        if len(detail) <= LONGEST_DETAIL
        else f"{detail[:LONGEST_DETAIL]} ... ({len(detail)} signs)",
    }


def _sample_if_named(database: str, row: Row) -> str:
    onset = _frame(row.onset)
    if not row.subject or not paths.is_safe_name(row.clip) or onset is None:
        return ""
    return paths.sample_name(database, row.subject, row.clip, onset)


def _frame(cell: str) -> int | None:
    return None if cells.is_missing(cell) else cells.integer(cell)


def _why_no_number(cell: str) -> str:
    return "missing" if cells.is_missing(cell) else "not_a_number"


def _holds(cell: str) -> str:
    return f"the cell holds {cell}" if cell else "the cell is empty"


def _emotion(row: Row) -> str:
    return row.emotion.casefold()


def _reasons(result: Extraction) -> str:
    rows = Counter(str(row["reason"]) for row in result.excluded if not row["image"])
    images = Counter(str(row["reason"]) for row in result.excluded if row["image"])
    images.update(str(row["reason"]) for row in result.substituted)
    return "Rows left out: " + _counts(rows) + ". Single frames: " + _counts(images) + "."


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counter.items())) or "none"
