"""Examples as later stages read them: rows of the tables, and arrays checked against them.

The arrays of `{database}.tsv` are mapped from `{database}.npy` beside it; only those that are asked
for are read.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.errors import UserError

RERUN = "rerun with `-R pack_inputs`"


def rows(tables_of_examples: Sequence[Path]) -> list[dict[str, str]]:
    """The EXAMPLES rows of all tables, table by table; no array is read.

    Raises:
        UserError: a table is missing, or an example is in them twice.
    """
    found = []
    seen: set[str] = set()
    for table in tables_of_examples:
        for row in tsv.read_rows(table, tsv.EXAMPLES):
            if row["example"] in seen:
                raise UserError(f"{table}: the example {row['example']} is there twice; {RERUN}")
            seen.add(row["example"])
            found.append(row)
    return found


def layout(tables_of_examples: Sequence[Path]) -> tuple[tuple[int, ...], str]:
    """The shape and the data type of each array, such as ((224, 224, 3), "uint8").

    Raises:
        UserError: there is no example, or the databases' arrays differ; see also `load`.
    """
    found: tuple[Path, NDArray] | None = None
    for table in tables_of_examples:
        count = len(tsv.read_rows(table, tsv.EXAMPLES))
        if count:
            found = _same(found, _mapped(table, count))
    if found is None:
        raise UserError(
            f"{', '.join(map(str, tables_of_examples))}: there is no example; see the "
            ".excluded.tsv tables of the earlier stages"
        )
    return found[1].shape[1:], found[1].dtype.name


def load(tables_of_examples: Sequence[Path], names: Sequence[str]) -> NDArray:
    """The arrays of the named examples, in the order of the names.

    Args:
        tables_of_examples: tables of EXAMPLES, one per database; their arrays lie beside them.
        names: the examples; at least one.

    Returns:
        (len(names), ...), of the data type that the input packed.

    Raises:
        UserError: an example is in no table, or the arrays are missing, truncated, changed, of
            another table, or differ between databases.
    """
    places: dict[str, tuple[NDArray, Path, int, str]] = {}
    wanted = set(names)
    first: tuple[Path, NDArray] | None = None
    for table in tables_of_examples:
        all_rows = tsv.read_rows(table, tsv.EXAMPLES)
        used = [(place, row) for place, row in enumerate(all_rows) if row["example"] in wanted]
        if not used:
            continue
        path, arrays = mapped = _mapped(table, len(all_rows))
        first = _same(first, mapped)
        for place, row in used:
            places[row["example"]] = arrays, path, place, row["sha256"]
    absent = [name for name in names if name not in places]
    if absent or first is None:
        raise UserError(
            f"{', '.join(map(str, tables_of_examples))}: the example "
            f"{absent[0] if absent else '(none is named)'} is in none of them; {RERUN}"
        )
    result = np.empty((len(names), *first[1].shape[1:]), first[1].dtype)
    for target, name in enumerate(names):
        arrays, path, place, stated = places[name]
        result[target] = arrays[place]
        if hashlib.sha256(result[target].tobytes()).hexdigest() != stated:
            raise UserError(f"{path}: the array of {name} is not the one that was packed; {RERUN}")
    return result


def _mapped(table: Path, count: int) -> tuple[Path, NDArray]:
    """The file of a table's arrays, mapped; it must hold one array for each of the rows."""
    path = table.with_suffix(".npy")
    try:
        arrays: NDArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: the arrays are missing; {RERUN}") from None
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: truncated or not an array ({error}); {RERUN}") from None
    if len(arrays) != count:
        raise UserError(f"{path}: {len(arrays)} arrays, but {table.name} has {count}; {RERUN}")
    return path, arrays


def _same(first: tuple[Path, NDArray] | None, other: tuple[Path, NDArray]) -> tuple[Path, NDArray]:
    """The first of the files, once it is known that the arrays of the other are like its own."""
    if first is None:
        return other
    (path, arrays), (another, found) = first, other
    if (arrays.shape[1:], arrays.dtype) != (found.shape[1:], found.dtype):
        sizes = [
            " x ".join(map(str, each.shape[1:])) + f" {each.dtype}" for each in (arrays, found)
        ]
        raise UserError(
            f"{path} holds arrays of {sizes[0]}, but {another} of {sizes[1]}: the databases of an "
            "input must have one size. Set `size` of its block under `crops` in the config"
        )
    return first
