"""From a database's table to samples: each row becomes one, or is excluded with a reason.

Checks that hold for all databases live here and in `check`; what differs lives in the readers.
Emotions are only stripped and case-folded: which class one belongs to is the experiment's choice.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import paths, tsv
from fleeting.databases import cells, check, find, reader, workbook
from fleeting.databases import settings as blocks
from fleeting.databases.reader import Row
from fleeting.databases.settings import DatabaseSettings
from fleeting.errors import UserError

log = logging.getLogger(__name__)

STAGE = "annotations"
#: A cell can hold 32,767 characters, and its row would fill the report.
LONGEST_DETAIL = 300
APEX_POLICIES = ("drop", "midpoint")

#: How many rows the table of a database has.
ROWS: tsv.Schema = {"database": tsv.NAME, "table": tsv.NAME, "rows": tsv.INTEGER}


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


def run(
    *,
    database: str,
    settings: dict[str, Any],
    apex: str,
    samples: Path,
    excluded: Path,
    substituted: Path,
    rows: Path,
) -> None:
    """Read a database's table and write its samples, and what could not be used.

    Args:
        database: the database's name in the config.
        settings: its block of the config.
        apex: what becomes of an apex that cannot be used, see `extract`.
        samples: where ANNOTATIONS are written.
        excluded: where EXCLUDED is written.
        substituted: where SUBSTITUTED is written.
        rows: where ROWS are written.
    """
    block = blocks.load(database, settings)
    path = find.table_path(database, block)
    result = extract(database, block, path, apex)
    report(database, result)
    found, left_out, replaced = result.frames()
    count = {"database": database, "table": path.name, "rows": result.rows}
    tsv.write(found, samples, tsv.ANNOTATIONS)
    tsv.write(left_out, excluded, tsv.EXCLUDED)
    tsv.write(replaced, substituted, tsv.SUBSTITUTED)
    tsv.write_rows([count], rows, ROWS)


def extract(database: str, settings: DatabaseSettings, path: Path, apex_policy: str) -> Extraction:
    """Read a database's table.

    Args:
        database: the database's name, the first part of its samples' names.
        settings: the database's block of the config.
        path: the table: `.xls`, `.xlsx`, or text.
        apex_policy: for an apex that is missing or not within onset and offset: `drop` excludes
            that image, `midpoint` takes floor((onset + offset) / 2).

    Raises a `UserError` where the file is not the table, or where no row becomes a sample.
    """
    if apex_policy not in APEX_POLICIES:
        raise UserError(f"annotations.apex: {apex_policy!r} is not {' or '.join(APEX_POLICIES)}")
    database_reader = reader.load(settings.reader)
    result = Extraction()
    seen: check.Seen = {}
    for row in database_reader.rows(workbook.read(path), settings):
        result.rows += 1
        try:
            onset = check.onset_of(row, database_reader.SUBJECTS, seen)
        except check.Excluded as error:
            sample = _sample_if_named(database, row)
            problem = (error.code, error.detail)
            result.excluded.append(_exclusion(database, row, sample, "", problem))
        else:
            _add(result, database, path.name, row, onset, apex_policy)
    if not result.samples:
        raise UserError(f"{path}: no row of {database} is usable. {_reasons(result)}")
    return result


def report(database: str, result: Extraction) -> None:
    """Log how many rows became samples or were excluded, by code."""
    log.info(
        "%s: %d rows read = %d samples + %d excluded. %s",
        database,
        result.rows,
        len(result.samples),
        sum(not row["image"] for row in result.excluded),
        _reasons(result),
    )


def _add(
    result: Extraction, database: str, table: str, row: Row, onset: int, apex_policy: str
) -> None:
    sample = paths.sample_name(database, row.subject, row.clip, onset)
    offset = check.frame(row.offset)
    # A phase that the whole table lacks is a property of the database: nothing is excluded.
    if offset is None and row.offset is not None:
        problem = (f"offset_{check.why_no_number(row.offset)}", check.holds(row.offset))
        _exclude_image(result, database, row, sample, "offset", problem)
    apex = check.frame(row.apex)
    wrong = check.apex_problem(row, onset, apex, offset)
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
        # Without an apex column there are no apex images, unless midpoints are taken as such.
        if row.apex is not None or (apex_policy == "midpoint" and row.offset is not None):
            _exclude_image(result, database, row, sample, "apex", wrong)
    result.samples.append(
        {
            "sample": sample,
            "database": database,
            "subject": row.subject,
            "clip": row.clip,
            "onset": onset,
            "apex": "" if apex is None else apex,
            "offset": "" if offset is None else offset,
            "emotion": row.emotion.casefold(),
            "action_units": "" if cells.is_missing(row.action_units) else row.action_units,
            "table": table,
            "table_row": row.table_row,
            **{name: "" if cells.is_missing(cell) else cell for name, cell in row.extra.items()},
        }
    )


def _exclude_image(
    result: Extraction,
    database: str,
    row: Row,
    sample: str,
    phase: str,
    problem: tuple[str, str],
) -> None:
    image = paths.image_name(sample, phase)
    result.excluded.append(_exclusion(database, row, sample, image, problem))


def _exclusion(
    database: str, row: Row, sample: str, image: str, problem: tuple[str, str]
) -> dict[str, object]:
    code, detail = problem
    if len(detail) > LONGEST_DETAIL:
        detail = f"{detail[:LONGEST_DETAIL]} ... ({len(detail)} characters)"
    return {
        "database": database,
        "table_row": row.table_row,
        "sample": sample,
        "image": image,
        "stage": STAGE,
        "code": code,
        "reason": code.replace("_", " "),
        "detail": detail,
    }


def _sample_if_named(database: str, row: Row) -> str:
    onset = check.stated_onset(row)
    if onset is None or not all(map(paths.is_safe_name, (row.subject, row.clip))):
        return ""
    return paths.sample_name(database, row.subject, row.clip, onset)


def _reasons(result: Extraction) -> str:
    rows = Counter(str(row["code"]) for row in result.excluded if not row["image"])
    images = Counter(str(row["code"]) for row in result.excluded if row["image"])
    images.update(str(row["reason"]) for row in result.substituted)
    return "Rows excluded: " + _counts(rows) + ". Single images: " + _counts(images) + "."


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(counter.items())) or "none"
