"""Find the onset, apex and offset frames of a database's samples on disk."""

import argparse
import logging
from collections import Counter
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.databases import reader
from fleeting.frames import diagnosis, index, select
from fleeting.logging import run

log = logging.getLogger(__name__)


def main() -> None:
    """Read the arguments, select, write the tables of the database and of each subject."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True, help="the folder to search")
    parser.add_argument("--source", choices=select.SOURCES, required=True)
    parser.add_argument("--nearest-within", type=int, required=True, metavar="N")
    parser.add_argument("--frames-table", type=Path, required=True, metavar="OUT")
    parser.add_argument("--excluded", type=Path, required=True, metavar="OUT")
    parser.add_argument("--substituted", type=Path, required=True, metavar="OUT")
    parser.add_argument("--subjects", type=Path, required=True, metavar="OUTDIR")
    given = parser.parse_args()

    samples = tables.read(given.annotations, tables.ANNOTATIONS)
    database_reader = reader.load(given.database)
    found = index.build(given.frames)
    for note in found.notes():
        log.info("%s: %s", given.database, note)
    result = select.select(samples, found, database_reader, given.source, given.nearest_within)
    warning = diagnosis.check(result, found, database_reader, given.database, given.source)
    if warning:
        log.warning("Warning: %s", warning)
    reasons = Counter(str(row["reason"]) for row in result.excluded)
    log.info(
        "%s: %d samples, %d images found (%d of them neighbours), %d left out: %s",
        given.database,
        len(samples),
        len(result.frames),
        len(result.substituted),
        len(result.excluded),
        ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "none",
    )
    tables.write(pd.DataFrame(result.frames), given.frames_table, tables.FRAMES)
    tables.write(pd.DataFrame(result.excluded), given.excluded, tables.EXCLUDED)
    tables.write(pd.DataFrame(result.substituted), given.substituted, tables.SUBSTITUTED)
    select.write_subjects(result, samples, given.subjects)


if __name__ == "__main__":
    run(main)
