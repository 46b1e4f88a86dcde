"""The gate between the data and the runs: split.json, small whatever the number of folds.

Snakemake compares files by checksum only below 1 MB, so the runs depend on this file instead of on
the split, the examples and their arrays: it changes when the split, the bytes of an example that
the split names or the meaning of its values change, and only then.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleeting.errors import UserError
from fleeting.files import write_text
from fleeting.settings import Settings

REMEDY = "rerun with `-R draw_split`"


class ArrayFormat(Settings):
    """The format of the examples' arrays: a stored v stands for (v - zero) / unit.

    `shape` is that of one example, channels last.
    """

    channels: tuple[str, ...]
    zero: float
    unit: float
    shape: tuple[int, ...]
    dtype: str


class Gate(Settings):
    """The contents of split.json; `classes` are sorted, `examples` counts each example once.

    `apart` is what the protocol keeps apart, see `splits.protocol.Draw`.
    """

    classes: tuple[str, ...]
    apart: str | None
    input: ArrayFormat
    folds: int
    examples: int
    examples_sha256: str
    split_sha256: str
    folds_sha256: str


def examples_digest(rows: Iterable[Mapping[Any, str]]) -> str:
    """A digest of examples by name and content, whatever the order of the rows.

    Args:
        rows: the rows of `tsv.EXAMPLES` that the split names, each once.
    """
    lines = sorted(f"{row['example']}\t{row['sha256']}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write(gate: Gate, path: Path) -> None:
    """Write split.json."""
    write_text(json.dumps(gate.model_dump(mode="json"), indent=2) + "\n", path)


def read(path: Path) -> Gate:
    """Read split.json; a `UserError` if it is missing or corrupt."""
    try:
        return Gate.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} is missing; {REMEDY}") from None
    except ValidationError as error:
        raise UserError(f"{path} is corrupt ({error.errors()[0]['msg']}); {REMEDY}") from None
