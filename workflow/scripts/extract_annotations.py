"""Read a database's table: its samples, and what could not be used."""

import argparse
import json
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.databases import extract, settings
from fleeting.logging import run

ROWS: tables.Schema = {"database": tables.NAME, "table": tables.NAME, "rows": tables.INTEGER}


def main() -> None:
    """Read the arguments, extract, write the four tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--table", type=Path, help="the table; else the newest below the root")
    parser.add_argument("--root", type=Path, help="the database's folder")
    parser.add_argument("--options", type=json.loads, default={}, help="the reader's, as JSON")
    parser.add_argument("--apex", choices=extract.APEX_POLICIES, required=True)
    parser.add_argument("--samples", type=Path, required=True, metavar="OUT")
    parser.add_argument("--excluded", type=Path, required=True, metavar="OUT")
    parser.add_argument("--substituted", type=Path, required=True, metavar="OUT")
    parser.add_argument("--rows", type=Path, required=True, metavar="OUT")
    given = parser.parse_args()

    path = settings.table_path(given.database, given.table, given.root)
    result = extract.extract(given.database, path, given.options, given.apex)
    extract.report(given.database, result)
    samples, excluded, substituted = result.frames()
    rows = [{"database": given.database, "table": path.name, "rows": result.rows}]
    tables.write(samples, given.samples, tables.ANNOTATIONS)
    tables.write(excluded, given.excluded, tables.EXCLUDED)
    tables.write(substituted, given.substituted, tables.SUBSTITUTED)
    tables.write(pd.DataFrame(rows), given.rows, ROWS)


if __name__ == "__main__":
    run(main)
