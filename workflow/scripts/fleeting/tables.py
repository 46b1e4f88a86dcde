"""The tab-separated tables that the stages hand to each other.

A table is a text file with one header line. Every cell is text; a kind says what it may hold.
Reading and writing both check every cell, so that a wrong one is named where it arises.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from fleeting.errors import UserError

Kind = tuple[re.Pattern[str], str]
Schema = Mapping[str, Kind]

TEXT: Kind = (re.compile(r"[^\t\r\n]*"), "text on one line")
NAME: Kind = (re.compile(r"[^\t\r\n]+"), "text that is not empty")
INTEGER: Kind = (re.compile(r"-?\d+"), "a whole number")
MAYBE_INTEGER: Kind = (re.compile(r"(-?\d+)?"), "a whole number or nothing")
NUMBER: Kind = (re.compile(r"-?(\d+(\.\d+)?([eE][+-]?\d+)?|inf)|nan|"), "a number or nothing")
PHASE: Kind = (re.compile(r"onset|apex|offset"), "onset, apex or offset")
SPLIT: Kind = (re.compile(r"train|validation|test"), "train, validation or test")
PART: Kind = (re.compile(r"train|validation|test|unseen"), "train, validation, test or unseen")
SHA256: Kind = (re.compile(r"[0-9a-f]{64}"), "a sha256 in hexadecimal digits")

PHASES = ("onset", "apex", "offset")

#: A usable sample. What a database offers besides follows these columns.
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
#: What a stage could not use. `image` is empty where the whole row of the database is left out.
EXCLUDED: Schema = {
    "database": NAME,
    "table_row": INTEGER,
    "sample": TEXT,
    "image": TEXT,
    "stage": NAME,
    "reason": NAME,
    "detail": TEXT,
}
#: The same as a crop job writes it: it knows its subject's images and not the database's rows.
EXCLUDED_FRAMES: Schema = {name: kind for name, kind in EXCLUDED.items() if name != "table_row"}
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
#: An image on disk; `path` is relative to the folder of the database's frames.
FRAMES: Schema = {
    "image": NAME,
    "sample": NAME,
    "phase": PHASE,
    "frame": INTEGER,
    "path": NAME,
}
#: A crop; `path` is relative to the results folder, the box is in pixels of the frame, `file` is
#: the frame's path in the folder of the database's frames. The hash of the crop's bytes makes this
#: table change whenever a crop does, and only then.
FACES: Schema = {
    "image": NAME,
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
}
#: An image of an experiment and the part of the split that it belongs to in a fold.
SPLITS: Schema = {
    "image": NAME,
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "phase": PHASE,
    "label": NAME,
    "fold": NAME,
    "split": SPLIT,
}
#: A crop that the experiment does not use.
UNUSED: Schema = {
    "image": NAME,
    "sample": NAME,
    "database": NAME,
    "subject": NAME,
    "phase": PHASE,
    "emotion": NAME,
    "label": TEXT,
    "reason": NAME,
    "detail": TEXT,
}
#: The bytes behind each image of a fold; `path` is relative to the results folder.
IMAGES: Schema = {
    "image": NAME,
    "label": NAME,
    "split": PART,
    "path": NAME,
    "sha256": SHA256,
}
HISTORY: Schema = {
    "epoch": INTEGER,
    "train_loss": NUMBER,
    "train_accuracy": NUMBER,
    "validation_loss": NUMBER,
    "validation_accuracy": NUMBER,
}
#: A probability column `p_{class}` for each class follows.
PREDICTIONS: Schema = {"image": NAME, "label": NAME, "predicted": NAME}


def read(path: Path, schema: Schema) -> pd.DataFrame:
    """Read a table as text and check it.

    Columns beyond the schema are kept. A missing file, a missing column or a cell of the wrong
    kind is a `UserError` that names it (lines count from 1, the header included).
    """
    try:
        frame = pd.read_csv(
            path, sep="\t", dtype=str, keep_default_na=False, quoting=3, encoding="utf-8"
        )
    except FileNotFoundError:
        raise UserError(f"{path}: the table is missing; run the stage that writes it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a whole table ({error}); delete it and run again") from None
    _check(frame, path, schema)
    return frame


def write(frame: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write a table, whole or not at all: the schema's columns first, then the others.

    White space inside a cell becomes a single space, so that a cell is always on one line.
    Floats are written with six decimals: enough to read, and the same bytes every time.
    """
    rest = [column for column in frame.columns if column not in schema]
    ordered = frame.reindex(columns=[*schema, *rest]) if frame.empty else frame[[*schema, *rest]]
    text = ordered.map(_cell)
    _check(text, path, schema)
    lines = ["\t".join(text.columns), *("\t".join(row) for row in text.itertuples(index=False))]
    write_text("\n".join(lines) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.6f}"
    # File names that are no UTF-8 arrive with stand-ins for their bytes, which cannot be written.
    return " ".join(str(value).encode("utf-8", "backslashreplace").decode().split())


def _check(frame: pd.DataFrame, path: Path, schema: Schema) -> None:
    missing = [column for column in schema if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: the column {missing[0]!r} is missing")
    for column, (pattern, description) in schema.items():
        for line, cell in enumerate(frame[column], start=2):
            if pattern.fullmatch(cell) is None:
                raise UserError(
                    f"{path}, line {line}, column {column!r}: {cell!r} is not {description}"
                )
