"""The job that reads from the annotations which of an experiment's action units each sample shows.

A step of its own, so that an edit upstream that leaves these units as they are retrains nothing.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fleeting import tsv
from fleeting.databases.action_units import parse
from fleeting.errors import UserError
from fleeting.training.action_units import ACTION_UNITS

log = logging.getLogger(__name__)


def run(*, annotations: list[Path], units: list[int], output: Path) -> None:
    """Write a row for each sample whose action units are known.

    A sample with an empty cell has none: nothing was coded. Neither has one with a part that cannot
    be read, which may stand for a listed unit.

    Args:
        annotations: the tables of annotations of all databases.
        units: those of the recipe.
        output: receives `ACTION_UNITS`.

    Raises:
        UserError: no sample of any database has action units.
    """
    coded: list[dict[str, object]] = []
    shown: Counter[int] = Counter()
    for path in annotations:
        rows = tsv.read_rows(path, tsv.ANNOTATIONS)
        count, wrong = 0, []
        for row in rows:
            found, unreadable = parse(row["action_units"])
            wrong += [(row["action_units"], unreadable)] if unreadable else []
            if unreadable or not found:
                continue
            count += 1
            own = [unit for unit in sorted(units) if unit in found]
            shown.update(own)
            coded.append({"sample": row["sample"], "action_units": "+".join(map(str, own))})
        _log(path.stem, len(rows), count, wrong)
    if not coded:
        raise UserError(
            "recipe.auxiliary: no sample of the databases "
            f"{', '.join(path.stem for path in annotations)} has action units. With `reader: "
            "table`, name their column under columns.action_units of the database; or set "
            "`auxiliary: null`"
        )
    for unit in units:
        log.info("action unit %d: %d samples", unit, shown[unit])
    tsv.write_rows(coded, output, ACTION_UNITS)


def _log(database: str, samples: int, coded: int, wrong: Sequence[tuple[str, list[str]]]) -> None:
    """Say how many samples of a database have action units, and what could not be read."""
    empty = samples - coded - len(wrong)
    log.info("%s: %d of %d samples have action units, %d none", database, coded, samples, empty)
    if wrong:
        parts = [part for _, unreadable in wrong for part in unreadable]
        log.warning(
            "Warning: %s: %d parts of the action units of %d samples cannot be read, for example "
            "%r in %r; their units do not count",
            *(database, len(parts), len(wrong), parts[0], wrong[0][0]),
        )
    if not coded:
        log.warning(
            "Warning: %s: no sample has action units: its clips are trained on their classes alone",
            database,
        )
