"""The arrays of the examples in `{database}.tsv`: in `{database}.npy` beside it, in the same order.

Files are memory-mapped: only the arrays that are asked for are read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.files import whole

REMEDY = "rerun with `-R pack_inputs`"


def write(path: Path, arrays: Iterable[NDArray], count: int) -> list[str]:
    """Write `count` arrays one after the other, whole or not at all.

    Returns:
        The sha256 of each array's bytes.

    Raises:
        UserError: the arrays differ in shape or data type.
    """
    digests = []
    first: NDArray | None = None
    with whole(path) as unfinished, unfinished.open("wb") as file:
        for array in arrays:
            if first is None:
                first = array
                _write_header(file, (count, *array.shape), array.dtype)
            if (array.shape, array.dtype) != (first.shape, first.dtype):
                raise UserError(
                    f"{path}: an array is {describe(array)}, others {describe(first)}; an input "
                    "must make arrays of one shape and data type"
                )
            content = array.tobytes()
            file.write(content)
            digests.append(hashlib.sha256(content).hexdigest())
        if first is None:
            _write_header(file, (0,), np.dtype(np.uint8))
    return digests


def shape_and_dtype(tables: Sequence[Path]) -> tuple[tuple[int, ...], str]:
    """The shape and the data type of each array, such as ((224, 224, 3), "uint8").

    Args:
        tables: tables of EXAMPLES, one per database; at least one has an example.

    Raises:
        UserError: see `load`.
    """
    _, _, arrays = _mapped(tables)[0]
    return arrays.shape[1:], arrays.dtype.name


def load(tables: Sequence[Path], names: Sequence[str]) -> NDArray:
    """The arrays of the named examples, in the order of the names.

    Args:
        tables: tables of EXAMPLES, one per database, which together have all these examples.
        names: the examples; at least one.

    Returns:
        (len(names), ...), of the data type that the input packed.

    Raises:
        UserError: the arrays are missing, truncated, changed, of another table, or differ between
            databases.
    """
    stored = {
        row["example"]: (array, row["sha256"], path)
        for path, rows, arrays in _mapped(tables)
        for row, array in zip(rows, arrays, strict=True)
    }
    first, _, _ = stored[names[0]]
    result = np.empty((len(names), *first.shape), first.dtype)
    for place, name in enumerate(names):
        array, digest, path = stored[name]
        result[place] = array
        _check(result[place], name, digest, path)
    return result


def each(table: Path) -> Iterator[tuple[dict[str, str], NDArray]]:
    """The examples of one table, each with its array: one after the other, in the table's order.

    Raises:
        UserError: the arrays are missing, truncated, changed or of another table.
    """
    for path, rows, arrays in _mapped([table]):
        for row, array in zip(rows, arrays, strict=True):
            _check(array, row["example"], row["sha256"], path)
            yield row, array


def describe(array: NDArray) -> str:
    """The shape and data type for messages, such as `8 x 8 x 3 uint8`."""
    return f"{' x '.join(map(str, array.shape))} {array.dtype}"


def _check(array: NDArray, name: str, digest: str, path: Path) -> None:
    if hashlib.sha256(array.tobytes()).hexdigest() != digest:
        raise UserError(f"{path}: the array of {name} is not the one that was packed; {REMEDY}")


def _mapped(tables: Sequence[Path]) -> list[tuple[Path, list[dict[str, str]], NDArray]]:
    """For each database that has an example: the file of its arrays, its rows and its arrays."""
    found: list[tuple[Path, list[dict[str, str]], NDArray]] = []
    for table in tables:
        rows = tsv.read_rows(table, tsv.EXAMPLES)
        if not rows:
            continue
        path = table.with_suffix(".npy")
        arrays = _open(path)
        if len(arrays) != len(rows):
            raise UserError(
                f"{path}: {len(arrays)} arrays, but {table.name} has {len(rows)}; {REMEDY}"
            )
        found.append((path, rows, arrays))
        first, _, like = found[0]
        if (arrays.shape[1:], arrays.dtype) != (like.shape[1:], like.dtype):
            raise UserError(
                f"{first} holds arrays of {describe(like[0])}, but {path} of "
                f"{describe(arrays[0])}: the databases of an input must have one size. Set `size` "
                "of its block under `crops` in the config"
            )
    return found


def _open(path: Path) -> NDArray:
    try:
        arrays: NDArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: the arrays are missing; {REMEDY}") from None
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: truncated or not an array ({error}); {REMEDY}") from None
    return arrays


def _write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> None:
    # Not `np.save`: on a full disk it raises an error without an errno.
    description = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, description)
