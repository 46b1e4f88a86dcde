"""Put the crop tables of a database's subjects together and show the share of faces found."""

import argparse
from pathlib import Path

from fleeting import tables
from fleeting.faces.gather import gather, report
from fleeting.logging import run


def main() -> None:
    """Read the command line and gather."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crop", required=True, help="the name of the block under crops:")
    parser.add_argument("--database", required=True)
    parser.add_argument("--folder", required=True, type=Path, help="the crop jobs' tables")
    parser.add_argument("--subjects-folder", required=True, type=Path, help="the frames' tables")
    parser.add_argument("--frames-table", required=True, type=Path, help="the database's frames")
    parser.add_argument("--faces", required=True, type=Path, help="table of the crops, written")
    parser.add_argument("--excluded", required=True, type=Path, help="table of the rest, written")
    arguments = parser.parse_args()
    faces, excluded = gather(arguments.folder, arguments.subjects_folder, arguments.frames_table)
    tables.write_rows(faces, arguments.faces, tables.FACES)
    tables.write_rows(excluded, arguments.excluded, tables.EXCLUDED)
    report(faces, excluded, arguments.database, arguments.crop)


if __name__ == "__main__":
    run(main)
