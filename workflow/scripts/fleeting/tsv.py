"""The tab-separated tables that the stages hand to each other.

A table is a text file with one header line. Every cell is text; its column's kind limits it.
Reading and writing both check every cell, so that a wrong one is named where it arises.

Every job of the pipeline imports this module, and importing pandas takes longer than the work of
many jobs: it is imported only where a table is wanted as a DataFrame.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleeting.errors import UserError
from fleeting.files import write_text

if TYPE_CHECKING:
    import pandas as pd

Kind = tuple[re.Pattern[str], str]
Schema = Mapping[str, Kind]

TEXT: Kind = (re.compile(r"[^\t\r\n]*"), "text on one line")
NAME: Kind = (re.compile(r"[^\t\r\n]+"), "text that is not empty")
# Only the digits 0 to 9, not those of other scripts; no more of them than 64 bits can hold.
INTEGER: Kind = (re.compile(r"-?[0-9]{1,18}"), "a whole number")
MAYBE_INTEGER: Kind = (re.compile(r"(-?[0-9]{1,18})?"), "a whole number or nothing")
NUMBER: Kind = (
    re.compile(r"-?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|inf)|nan|"),
    "a number or nothing",
)
PHASE: Kind = (re.compile(r"onset|apex|offset|"), "onset, apex, offset or nothing")
ROLE: Kind = (re.compile(r"train|validation|test"), "train, validation or test")
HASH: Kind = (re.compile(r"[0-9a-f]{16}"), "16 hexadecimal digits")
SHA256: Kind = (re.compile(r"[0-9a-f]{64}"), "a sha256 in hexadecimal digits")

PHASES = ("onset", "apex", "offset")
#: How rows of a sample are sorted by phase; those without one come last.
PHASE_ORDER = {phase: position for position, phase in enumerate((*PHASES, ""))}

#: A usable sample. Further columns that a database offers follow these. One of them may be
#: `recording`: the name of the video that a clip is cut from, where several clips share one.
ANNOTATIONS: Schema = {
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "clip": NAME,
    "onset": INTEGER,
    "apex": MAYBE_INTEGER,
    "offset": MAYBE_INTEGER,
    "emotion": NAME,
    "action_units": TEXT,
    "table": NAME,
    "table_row": INTEGER,
}
#: How many rows a database's table has.
ROW_COUNT: Schema = {"database": NAME, "table": NAME, "rows": INTEGER}
#: What a stage could not use. `image` is empty where the whole row of the database is left out;
#: `code` is for code to decide by, `reason` and `detail` are for people.
EXCLUDED: Schema = {
    "database": NAME,
    "table_row": INTEGER,
    "sample": TEXT,
    "image": TEXT,
    "stage": NAME,
    "code": NAME,
    "reason": NAME,
    "detail": TEXT,
}
#: A frame number that was not taken as the database states it.
SUBSTITUTED: Schema = {
    "database": NAME,
    "table_row": INTEGER,
    "sample": NAME,
    "image": NAME,
    "stage": NAME,
    "stated": TEXT,
    "used": INTEGER,
    "reason": NAME,
}
#: An image on disk; `path` is relative to the folder of the database's frames. A ready picture of a
#: whole clip has neither phase nor frame number.
FRAMES: Schema = {
    "image": NAME,
    "sample": NAME,
    "phase": PHASE,
    "frame": MAYBE_INTEGER,
    "path": NAME,
}
#: A crop; `path` is relative to the results folder, the box is in pixels of the frame, `file` is
#: the frame's path in the folder of the database's frames, `frame` its number (none for a ready
#: picture). `eye_distance` is in pixels of the crop. `shift_x` and `shift_y` (of the box's centre,
#: in pixels of the frame) and `roll` (in degrees, clockwise) are how the head moved since the
#: clip's first frame. What was not looked for is empty. `sha256` is of the crop's bytes.
FACES: Schema = {
    "image": NAME,
    "sample": NAME,
    "phase": PHASE,
    "path": NAME,
    "x0": NUMBER,
    "y0": NUMBER,
    "x1": NUMBER,
    "y1": NUMBER,
    "confidence": NUMBER,
    "detector": NAME,
    "outcome": NAME,
    "file": NAME,
    "sha256": SHA256,
    "frame": MAYBE_INTEGER,
    "eye_distance": NUMBER,
    "shift_x": NUMBER,
    "shift_y": NUMBER,
    "roll": NUMBER,
}
#: An example: one array, made of one or more crops of a sample, in the order of the packed arrays.
#: `sha256` is of the array's bytes; `source` names the files that it was made from: two examples of
#: the same source are the same picture.
EXAMPLES: Schema = {
    "example": NAME,
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "phase": PHASE,
    "sha256": SHA256,
    "source": NAME,
}
#: The pictures that an example was made of, numbered from 1 in their order, each with its
#: difference hash: see `fleeting.examples.hashes`.
HASHES: Schema = {"example": NAME, "picture": INTEGER, "hash": HASH}
#: What a table says of the hash.
HASH_METHOD = (
    "a difference hash of 64 bits: the picture in grey, reduced to 9 x 8 pixels by averaging "
    "areas, and for each pixel whether the one to its right is brighter"
)
#: The role of an example in a fold. An example may be in many folds. `person` is who a subject is,
#: named after the first of the subjects that `same_person` says are one; `recording` is shared by
#: all samples of one video.
SPLIT: Schema = {
    "example": NAME,
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "phase": PHASE,
    "label": NAME,
    "fold": INTEGER,
    "split": ROLE,
    "person": NAME,
    "recording": NAME,
}
#: A fold: its number, its name (from which its seed follows), the repeat that it is for (empty: all
#: repeats), and the classes that its training examples lack, separated by commas.
FOLDS: Schema = {"fold": INTEGER, "name": NAME, "repeat": MAYBE_INTEGER, "lacks": TEXT}
#: An example that the experiment does not use.
UNUSED: Schema = {
    "example": NAME,
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "phase": PHASE,
    "emotion": NAME,
    "label": TEXT,
    "code": NAME,
    "reason": NAME,
    "detail": TEXT,
}
HISTORY: Schema = {
    "fold": INTEGER,
    "epoch": INTEGER,
    "train_loss": NUMBER,
    "train_accuracy": NUMBER,
    "validation_loss": NUMBER,
    "validation_accuracy": NUMBER,
    "validation_uf1": NUMBER,
}
#: A probability column `p_{class}` for each class follows.
PREDICTIONS: Schema = {"fold": INTEGER, "example": NAME, "label": NAME, "predicted": NAME}
#: A prediction of a test example after an epoch; only `evaluation/best_epochs.py` reads them.
TRACE: Schema = {
    "fold": INTEGER,
    "epoch": INTEGER,
    "example": NAME,
    "label": NAME,
    "predicted": NAME,
}
#: Of a baseline; the repeats of one that draws at random differ in their seed.
BASELINE_PREDICTIONS: Schema = {"repeat": INTEGER, **PREDICTIONS}
#: One metric of one group of predictions (`all`, `database/...`, `phase/...`, `class/...`).
SCORES: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeat": INTEGER,
    "group": NAME,
    "metric": NAME,
    "value": NUMBER,
}


def read_rows(path: Path, schema: Schema) -> list[dict[str, str]]:
    """Read a table as text and check it; a row holds its cells by column.

    Columns beyond the schema are kept.

    Raises:
        UserError: the table is missing or not whole, a column is missing or repeated, or a cell is
            of the wrong kind (lines count from 1, the header included).
    """
    columns, lines = _read(path, schema)
    return [dict(zip(columns, cells, strict=True)) for cells in lines]


def read(path: Path, schema: Schema) -> "pd.DataFrame":
    """The same as a DataFrame, in which every column is text."""
    import pandas as pd

    columns, lines = _read(path, schema)
    return pd.DataFrame(lines, columns=columns, dtype=str)


def write_rows(rows: Sequence[Mapping[str, object]], path: Path, schema: Schema) -> None:
    """Write a table, whole or not at all: the schema's columns first, then the others.

    White space inside a cell becomes a single space, so that a cell is always on one line. Floats
    are written with six decimals: enough to read, and the same bytes every time. None and NaN leave
    their cells empty.

    Raises:
        KeyError: a row lacks a column.
        UserError: a cell is of the wrong kind.
    """
    others = dict.fromkeys(column for row in rows for column in row if column not in schema)
    columns = [*schema, *others]
    _write(columns, ([row[column] for column in columns] for row in rows), path, schema)


def write(frame: "pd.DataFrame", path: Path, schema: Schema) -> None:
    """The same for the rows of a DataFrame; one without rows may lack columns of the schema."""
    columns = [*schema, *(column for column in frame.columns if column not in schema)]
    ordered = frame.reindex(columns=columns) if frame.empty else frame[columns]
    _write(columns, ordered.itertuples(index=False, name=None), path, schema)


def _read(path: Path, schema: Schema) -> tuple[list[str], list[list[str]]]:
    """The header and the lines below it, each as its cells."""
    try:
        # Line breaks and the byte order mark of other systems' editors do no harm.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: the table is missing; run the stage that writes it") from None
    except UnicodeDecodeError as error:
        raise _truncated(path, str(error)) from None
    if not text.endswith("\n"):
        raise _truncated(path, "the last line is cut off" if text else "the file is empty")
    # Not `splitlines`: it also splits at characters that a cell may hold.
    columns, *lines = (line.split("\t") for line in text[:-1].split("\n"))
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            counts = f"cells in line {number}: {len(cells)}, in the header {len(columns)}"
            raise _truncated(path, counts)
    _check(columns, lines, path, schema)
    return columns, lines


def _write(
    columns: Sequence[object], rows: Iterable[Iterable[object]], path: Path, schema: Schema
) -> None:
    header, *lines = ([_cell(value) for value in row] for row in (columns, *rows))
    _check(header, lines, path, schema)
    write_text("".join("\t".join(cells) + "\n" for cells in (header, *lines)), path)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6f}"
    # File names that are not UTF-8 arrive with surrogate characters, which cannot be written.
    return " ".join(str(value).encode("utf-8", "backslashreplace").decode().split())


def _check(columns: list[str], lines: list[list[str]], path: Path, schema: Schema) -> None:
    for column in schema:
        if column not in columns:
            raise UserError(f"{path}: the column {column!r} is missing")
    for column in columns:
        if columns.count(column) > 1:
            raise UserError(f"{path}: the column {column!r} is there more than once")
    for column, (pattern, description) in schema.items():
        position = columns.index(column)
        for line, cells in enumerate(lines, start=2):
            if pattern.fullmatch(cells[position]) is None:
                raise UserError(
                    f"{path}, line {line}, column {column!r}: {cells[position]!r} is not "
                    f"{description}"
                )


def _truncated(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: not a whole table ({reason}); delete it and run again")
