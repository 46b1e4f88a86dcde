"""The gate: it changes exactly when what the runs read changes, and it is small."""

import time
from pathlib import Path

import numpy as np
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.splits import gate
from small_splits import LABELS, RANDOM, SUBJECT_OUT, Data, twenty_samples


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """20 samples, split at random so that some examples are in the split and some are not."""
    made = Data(tmp_path, ["samm"])
    made.add("samm", twenty_samples())
    split(made)
    return made


def split(data: Data, **keys: int) -> None:
    data.split({**RANDOM, "images_per_class": 20, **keys})


def files(data: Data) -> tuple[Path, Path, Path]:
    return data.folder / "split.json", data.folder / "split.tsv", data.folder / "folds.tsv"


def change_bytes(data: Data, example: str) -> None:
    """As if the array of one example had other bytes."""
    rows = tsv.read_rows(data.examples("samm"), tsv.EXAMPLES)
    changed = [row | {"sha256": "f" * 64} if row["example"] == example else row for row in rows]
    assert changed != rows
    tsv.write_rows(changed, data.examples("samm"), tsv.EXAMPLES)


def test_the_gate_holds_what_training_needs(data: Data) -> None:
    found = gate.verify(*files(data))
    assert found.classes == tuple(sorted(LABELS))
    assert found.input == gate.Arrays(
        channels=("red", "green", "blue"), zero=0, unit=255, shape=(8, 8, 3), dtype="uint8"
    )
    rows = data.rows()
    assert (found.folds, found.examples) == (1, len(rows))
    named = [
        row
        for row in tsv.read_rows(data.examples("samm"), tsv.EXAMPLES)
        if row["example"] in set(rows["example"])
    ]
    assert found.examples_sha256 == gate.examples_digest(reversed(named))
    assert (found.split_sha256, found.folds_sha256) == tuple(map(sha256, files(data)[1:]))


def test_the_gate_changes_when_the_split_or_one_of_its_examples_does(data: Data) -> None:
    path = files(data)[0]
    before = path.read_bytes()
    split(data, seed=2)
    assert path.read_bytes() != before
    split(data)
    assert path.read_bytes() == before
    change_bytes(data, data.rows()["example"].iloc[-1])
    split(data)
    assert path.read_bytes() != before


def test_the_gate_stays_when_an_unused_example_or_an_annotation_changes(data: Data) -> None:
    path = files(data)[0]
    before = path.read_bytes()
    change_bytes(data, data.unused()["example"].iloc[0])
    annotations = data.folder / "annotations" / "samm.tsv"
    rows = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    changed = [row | {"action_units": "4", "table": "other.xlsx"} for row in rows]
    tsv.write_rows(changed, annotations, tsv.ANNOTATIONS)
    split(data)
    assert path.read_bytes() == before


def test_the_gate_changes_with_the_meaning_of_the_arrays(data: Data) -> None:
    path = files(data)[0]
    before = path.read_bytes()
    arrays = data.examples("samm").with_suffix(".npy")
    np.save(arrays, np.zeros((60, 8, 8, 3), np.float32))
    split(data)
    assert path.read_bytes() != before
    assert gate.read(path).input.dtype == "float32"


def test_tables_of_another_split_are_refused(data: Data) -> None:
    path, rows, folds = files(data)
    for table in (rows, folds):
        content = table.read_bytes()
        table.write_bytes(content + b"\n")
        with pytest.raises(UserError, match=rf"{table.name} is not .*; rerun with `-R draw_split`"):
            gate.verify(path, rows, folds)
        table.unlink()
        with pytest.raises(UserError, match=rf"{table.name} is missing; rerun"):
            gate.verify(path, rows, folds)
        table.write_bytes(content)
    path.write_text(path.read_text()[:-9])
    with pytest.raises(UserError, match=r"split.json is corrupt \(.*\); rerun"):
        gate.read(path)
    path.unlink()
    with pytest.raises(UserError, match="split.json is missing; rerun"):
        gate.read(path)


def test_many_folds_are_quick_and_their_gate_is_small(tmp_path: Path) -> None:
    data = Data(tmp_path, ["samm"])
    samples = [
        (f"{number % 68:03d}", f"clip{number}", ["happiness", "other"][number % 2])
        for number in range(442)
    ]
    data.add("samm", samples, phases=["apex"])
    start = time.perf_counter()
    data.split(SUBJECT_OUT)
    assert time.perf_counter() - start < 5
    path, rows, folds = files(data)
    found = gate.verify(path, rows, folds)
    assert (found.folds, found.examples) == (68, 442)
    assert path.stat().st_size < 5000
    assert rows.stat().st_size > 1_000_000
