"""The gate: it changes exactly when what the runs read changes, and it is small."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.splits import gate
from fleeting.splits.folds import FoldSubsets, read_split
from small_splits import LABELS, RANDOM, SUBJECT_OUT, Data

FILES = ("split.json", "split.tsv", "folds.tsv")


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """Examples of 20 samples, of which some are in the split and some are not."""
    made = Data(tmp_path)
    made.add()
    made.split()
    return made


def read(data: Data) -> tuple[gate.Gate, list[FoldSubsets]]:
    return read_split(*(data.folder / name for name in FILES), [data.examples()])


def change_bytes(data: Data, example: str) -> None:
    """As if the array of one example had other bytes."""
    table = tsv.read(data.examples(), tsv.EXAMPLES)
    table.loc[table["example"] == example, "sha256"] = "f" * 64
    tsv.write(table, data.examples(), tsv.EXAMPLES)


def test_the_gate_and_the_folds_are_those_of_the_tables(data: Data) -> None:
    small = (data.folder / "split.json").stat().st_size
    data.split(SUBJECT_OUT)
    assert (data.folder / "split.json").stat().st_size < small + 10, "whatever the folds"
    stated, folds = read(data)
    rows = data.rows()
    assert stated.classes == tuple(sorted(LABELS))
    assert stated.input == gate.ArrayFormat(
        channels=("red", "green", "blue"), zero=0, unit=255, shape=(8, 8, 3), dtype="uint8"
    )
    assert (stated.folds, stated.examples) == (5, rows["example"].nunique())
    packed = tsv.read_rows(data.examples(), tsv.EXAMPLES)
    assert stated.examples_sha256 == gate.examples_digest(reversed(packed))
    assert stated.split_sha256 == sha256(data.folder / "split.tsv")
    assert stated.folds_sha256 == sha256(data.folder / "folds.tsv")
    assert [(fold.fold, fold.name, fold.repeat) for fold in folds] == [
        (number + 1, f"samm/00{number}", None) for number in range(5)
    ]
    for fold in folds:
        for role in ("train", "validation", "test"):
            expected = rows[(rows["fold"] == str(fold.fold)) & (rows["split"] == role)]
            subset = getattr(fold, role)
            assert subset.examples == list(expected["example"])
            assert subset.labels == list(expected["label"])


def other_arrays(data: Data) -> None:
    np.save(data.examples().with_suffix(".npy"), np.zeros((60, 8, 8, 3), np.float32))


def other_annotations(data: Data) -> None:
    table = tsv.read(data.annotations(), tsv.ANNOTATIONS)
    changed = table.assign(action_units="4", table="other.xlsx")
    tsv.write(changed, data.annotations(), tsv.ANNOTATIONS)


@pytest.mark.parametrize(
    ("edit", "seed", "changes"),
    [
        (lambda data: None, 1, False),
        (lambda data: None, 2, True),
        (lambda data: change_bytes(data, data.rows()["example"].iloc[-1]), 1, True),
        (lambda data: change_bytes(data, data.unused()["example"].iloc[0]), 1, False),
        (other_annotations, 1, False),
        (other_arrays, 1, True),
    ],
)
def test_the_gate_changes_with_what_the_runs_read(
    data: Data, edit: Callable[[Data], None], seed: int, changes: bool
) -> None:
    before = (data.folder / "split.json").read_bytes()
    edit(data)
    data.split({**RANDOM, "seed": seed})
    assert ((data.folder / "split.json").read_bytes() != before) is changes


@pytest.mark.parametrize("name", FILES)
def test_files_of_another_split_are_refused(data: Data, name: str) -> None:
    path = data.folder / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=rf"{name} is (not|corrupt) .*; rerun with `-R draw_split`"):
        read(data)
    path.unlink()
    with pytest.raises(UserError, match=rf"{name} is missing; rerun"):
        read(data)


def test_examples_of_another_split_are_refused(data: Data) -> None:
    change_bytes(data, data.rows()["example"].iloc[0])
    with pytest.raises(UserError, match=r"paper/samm\.tsv are not those that .*split\.json"):
        read(data)
