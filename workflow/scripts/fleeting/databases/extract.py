"""From a database's table to samples: each row becomes one, or is excluded with a reason.

What differs between databases lives in the readers. Emotions are only stripped and case-folded:
which class one belongs to is the experiment's choice.
"""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleeting import losses, paths, tsv
from fleeting.databases import cells, reader, row_problems, table_file, workbook
from fleeting.databases import settings as database_settings
from fleeting.databases.reader import Row
from fleeting.databases.row_problems import Problem, StatedFrames
from fleeting.databases.settings import DatabaseSettings
from fleeting.errors import UserError, exclusion

log = logging.getLogger(__name__)

STAGE = "annotations"
#: The most characters of a detail: a cell can hold 32,767, which would fill the report.
LONGEST_DETAIL = 300


@dataclass
class Extraction:
    """The rows of the stage's tables, in the order of the database's table."""

    database: str
    samples: list[dict[str, object]] = field(default_factory=list)
    excluded: list[dict[str, object]] = field(default_factory=list)
    substituted: list[dict[str, object]] = field(default_factory=list)
    rows: int = 0

    def exclude(self, row: Row, sample: str, phase: str, problem: Problem) -> None:
        """Exclude a sample's image of a phase or, if `phase` is empty, its whole row."""
        code, detail = problem
        if len(detail) > LONGEST_DETAIL:
            detail = f"{detail[:LONGEST_DETAIL]} ... ({len(detail)} characters)"
        self.excluded.append(
            {
                "database": self.database,
                "table_row": row.table_row,
                "sample": sample,
                "image": paths.image_name(sample, phase) if phase else "",
                "stage": STAGE,
                **exclusion(code, detail),
            }
        )

    def summary(self) -> str:
        """How many rows and images were left out or replaced, by code."""
        rows = Counter(str(row["code"]) for row in self.excluded if not row["image"])
        images = Counter(str(row["code"]) for row in self.excluded if row["image"])
        images.update(str(row["reason"]) for row in self.substituted)
        return f"Rows excluded: {_counts(rows)}. Single images: {_counts(images)}."


def run(
    *,
    database: str,
    settings: dict[str, Any],
    apex: str,
    accept_losses: bool,
    samples: Path,
    excluded: Path,
    substituted: Path,
    rows: Path,
) -> None:
    """Read a database's table and write its samples, and what could not be used.

    Args:
        database: the database's name in the config.
        settings: its block of the config.
        apex: how an apex that cannot be used is handled, see `extract`.
        accept_losses: go on where most rows or images are excluded.
        samples: where ANNOTATIONS are written.
        excluded: where EXCLUDED is written.
        substituted: where SUBSTITUTED is written.
        rows: where ROW_COUNT is written.
    """
    block = database_settings.load(database, settings)
    path = table_file.locate(database, block)
    try:
        result = extract(database, block, path, apex)
    except UserError as error:
        owner = table_file.of_another(path.name, block.reader)
        raise UserError(f"{error}. {owner}" if owner else str(error)) from None
    log.info(
        "%s: %d rows read = %d samples + %d excluded. %s",
        database,
        result.rows,
        len(result.samples),
        sum(not row["image"] for row in result.excluded),
        result.summary(),
    )
    warn(result, accept_losses)
    count = {"database": database, "table": path.name, "rows": result.rows}
    tsv.write_rows(result.samples, samples, tsv.ANNOTATIONS)
    tsv.write_rows(result.excluded, excluded, tsv.EXCLUDED)
    tsv.write_rows(result.substituted, substituted, tsv.SUBSTITUTED)
    tsv.write_rows([count], rows, tsv.ROW_COUNT)


def warn(result: Extraction, accepted: bool) -> None:
    """Warn of rows and images that are excluded, with the likely cause, and of doubtful subjects.

    Raises a `UserError` where most are, see `losses.check`.
    """
    cause = row_problems.cause
    rows = [row for row in result.excluded if not row["image"]]
    images = [row for row in result.excluded if row["image"]]
    kept = sum(sample[phase] != "" for sample in result.samples for phase in tsv.PHASES)
    losses.check(result.database, "rows", rows, len(result.samples), accepted, cause)
    losses.check(result.database, "images of the other rows", images, kept, accepted, cause)
    if alike := spelt_alike(str(sample["subject"]) for sample in result.samples):
        log.warning(
            "Warning: %s: subjects whose names differ only in case or leading zeros are taken for "
            "different people: %s. If they are one, write the name alike in every row: otherwise "
            "one person may be trained on and tested.",
            result.database,
            "; ".join(" and ".join(map(repr, names)) for names in alike),
        )


def spelt_alike(subjects: Iterable[str]) -> list[list[str]]:
    """The subjects whose names differ only in case or leading zeros, together."""
    found: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        name = reader.normalised_name(subject)
        found[re.sub(r"(?<![0-9])0+(?=[0-9])", "", name)].add(subject)
    return [sorted(names) for _, names in sorted(found.items()) if len(names) > 1]


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
    database_reader = reader.load(settings.reader)
    result = Extraction(database)
    # Without case, since two folders that differ only in case are one on some file systems.
    seen: dict[tuple[str, str, int | None], Row] = {}
    for row in database_reader.rows(workbook.read(path), settings):
        result.rows += 1
        stated = row_problems.stated_frames(row)
        problem = row_problems.row_problem(row, stated, database_reader.SUBJECTS)
        if not problem:
            key = (row.subject, reader.normalised_name(row.cells["clip"]), stated.onset)
            earlier = seen.setdefault(key, row)
            if earlier is not row:
                problem = row_problems.duplicate_problem(row, earlier)
        sample = ""
        names = (row.subject, row.cells["clip"])
        if stated.onset is not None and all(map(paths.is_safe_name, names)):
            sample = paths.sample_name(database, *names, stated.onset)
        if problem:
            result.exclude(row, sample, "", problem)
        else:
            _add_sample(result, path.name, row, sample, stated, apex_policy)
    if not result.samples:
        raise UserError(f"{path}: no row of {database} is usable. {result.summary()}")
    return result


def _add_sample(
    result: Extraction, table: str, row: Row, sample: str, stated: StatedFrames, apex_policy: str
) -> None:
    onset = stated.onset
    assert onset is not None, "a row without an onset has a problem"
    if problem := row_problems.offset_problem(row, stated):
        result.exclude(row, sample, "offset", problem)
    apex = stated.apex
    if problem := row_problems.apex_problem(row, onset, stated):
        apex = None
        takes_midpoint = apex_policy == "midpoint"
        if takes_midpoint and stated.offset is not None:
            apex = (onset + stated.offset) // 2
            result.substituted.append(
                {
                    "database": result.database,
                    "table_row": row.table_row,
                    "sample": sample,
                    "image": paths.image_name(sample, "apex"),
                    "stage": STAGE,
                    "stated": row.cells.get("apex"),
                    "used": apex,
                    "reason": f"{problem[0]}_midpoint_taken",
                }
            )
        # Without an apex column there are no apex images, unless midpoints are taken as such.
        elif "apex" in row.cells or (takes_midpoint and "offset" in row.cells):
            result.exclude(row, sample, "apex", problem)
    result.samples.append(
        {
            "sample": sample,
            "database": result.database,
            "subject": row.subject,
            "clip": row.cells["clip"],
            "onset": onset,
            "apex": "" if apex is None else apex,
            "offset": "" if stated.offset is None else stated.offset,
            "emotion": row.cells["emotion"].casefold(),
            "action_units": _value(row, "action_units"),
            "table": table,
            "table_row": row.table_row,
            **{field: _value(row, field) for field in row.extra if field in row.cells},
        }
    )


def _value(row: Row, field: str) -> str:
    cell = row.cells.get(field, "")
    return "" if cells.is_missing(cell) else cell


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(counter.items())) or "none"
