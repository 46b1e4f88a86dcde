"""Splits: labels, sources used once, nothing lost, promises checked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleeting.errors import UserError
from fleeting.splits.pool import Pool, make_pool
from fleeting.splits.protocol import Draw, Fold
from fleeting.splits.split import check, fold_table, split_table, unused_table
from small_splits import CLIPS, LABELS, RANDOM, SUBJECT_OUT, Data, examples, labelled, resolved_map


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """A results folder with three examples each of 20 samples of 5 subjects."""
    made = Data(tmp_path)
    made.add()
    return made


def by_example(table: pd.DataFrame, column: str) -> dict[str, str]:
    return dict(zip(table["example"], table[column], strict=True))


def test_labels_and_excluded_subjects() -> None:
    table = examples(
        ("samm/006/a", "apex", "amusement", "1"),
        ("samm/007/b", "apex", "hapiness", "3"),
        ("samm/007/c", "apex", "fear", "4"),
        ("samm/008/d", "apex", "other", "5"),
    )
    pool = make_pool(table, resolved_map(LABELS, "samm"), ["samm/008"])
    assert by_example(pool.examples, "label") == {"samm/006/a/apex": "happiness"}
    assert by_example(pool.unused, "code") == {
        "samm/007/b/apex": "emotion_unmapped",
        "samm/007/c/apex": "emotion_unmapped",
        "samm/008/d/apex": "excluded_subject",
    }
    details = by_example(pool.unused, "detail")
    assert "'happiness'" in details["samm/007/b/apex"]
    assert "t.xlsx, row 7" in details["samm/007/b/apex"]
    assert details["samm/007/c/apex"] == "fear"


def test_a_source_is_pooled_once() -> None:
    table = examples(
        ("casme/s/a", "onset", "happiness", "same"),
        ("casme/s/a", "apex", "happiness", "same"),
        ("casme/s/b", "apex", "other", "twice"),
        ("casme/s/c", "apex", "happiness", "twice"),
        ("casme/s/d", "apex", "fear", "unmapped"),
        ("casme/s/e", "apex", "happiness", "unmapped"),
        ("casme/s/h", "offset", "happiness", "edges"),
        ("casme/s/h", "onset", "happiness", "edges"),
        ("casme/u/f", "apex", "happiness", "excluded"),
        ("casme/u/g", "apex", "happiness", "excluded"),
    )
    pool = make_pool(table, resolved_map(LABELS, "casme"), ["casme/u"])
    assert list(pool.examples["example"]) == [
        "casme/s/a/apex",
        "casme/s/b/apex",
        "casme/s/e/apex",
        "casme/s/h/onset",
    ]
    codes, details = by_example(pool.unused, "code"), by_example(pool.unused, "detail")
    assert codes["casme/u/f/apex"] == "excluded_subject"
    assert codes["casme/u/g/apex"] == "same_source"
    assert details["casme/s/a/onset"] == "casme/s/a/apex"
    assert details["casme/s/c/apex"] == "casme/s/b/apex, which is labelled others"


def test_an_unknown_excluded_subject_is_an_error() -> None:
    with pytest.raises(UserError, match=r"no example is of 'samm/06' \(do you mean 'samm/006'\?"):
        make_pool(
            examples(("samm/006/a", "apex", "other", "1")),
            resolved_map(LABELS, "samm"),
            ["samm/06"],
        )


def test_every_example_is_in_the_split_or_unused(data: Data) -> None:
    data.split(exclude_subjects=["samm/004"])
    rows, unused = data.rows(), data.unused()
    assert sorted([*rows["example"], *unused["example"]]) == sorted(
        f"samm/{subject}/{clip}/{phase}"
        for subject, clip, _ in CLIPS
        for phase in ("onset", "apex", "offset")
    )
    assert list(rows["example"]) == sorted(rows["example"])
    assert list(unused["example"]) == sorted(unused["example"])
    assert set(unused["code"]) == {"excluded_subject", "over_cap"}
    assert data.folds().values.tolist() == [["1", "1", "", ""]]
    before = {path: path.read_bytes() for path in data.folder.glob("*.*")}
    data.split(exclude_subjects=["samm/004"])
    assert before == {path: path.read_bytes() for path in data.folder.glob("*.*")}


def test_examples_that_a_protocol_forgets_are_unused() -> None:
    pool = labelled(*((f"samm/{name}/a", name) for name in "abcde"))
    draw = Draw([fold("1", [0, 1], [2], [3])])
    unused = unused_table(draw, Pool(pool, pool[:0]), split_table(draw, pool))
    assert by_example(unused, "code") == {"samm/e/a/apex": "not_drawn"}


def test_classes_that_are_not_trained_are_listed(
    data: Data, caplog: pytest.LogCaptureFixture
) -> None:
    emotions = ["other", "happiness", "other", "other"]
    data.add(clips=[(str(number), "a", emotion) for number, emotion in enumerate(emotions, 1)])
    with caplog.at_level("INFO"):
        data.split(SUBJECT_OUT, {**LABELS, "tense": ["tense"]})
    lacks = dict(data.folds()[["name", "lacks"]].values)
    assert lacks["samm/2"] == "happiness"
    count = sum(bool(value) for value in lacks.values())
    assert "Warning: class tense: no listed database has an example of it" in caplog.text
    assert f"class happiness: {count} of 4 folds have no training example of it" in caplog.text


@pytest.mark.parametrize(
    ("protocol", "labels", "message"),
    [
        (RANDOM, {**LABELS, "happiness": ["joy"]}, "fewer than two classes"),
        ({**RANDOM, "test_fraction": 0.001}, LABELS, "fold 1 has no test example"),
        (
            {**RANDOM, "images_per_class": 100, "validation": {"from": "surplus"}},
            LABELS,
            "fold 1 has no validation example",
        ),
    ],
)
def test_too_little_is_an_error(
    data: Data, protocol: dict[str, Any], labels: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        data.split(protocol, labels)


def test_databases_share_a_split_if_their_arrays_are_alike(tmp_path: Path) -> None:
    data = Data(tmp_path, ["casme", "empty", "samm"])
    for database in ("casme", "samm"):
        data.add(database)
    data.add("empty", [], shape=(1,))
    data.split({**RANDOM, "images_per_class": 40})
    assert set(data.rows()["database"]) == {"casme", "samm"}
    data.add("samm", shape=(9, 8, 3))
    with pytest.raises(UserError, match=r"casme.npy holds arrays of 8 x 8 x 3 .*samm.npy of 9 x 8"):
        data.split()


def fold(name: str, *by_role: list[int]) -> Fold:
    return Fold(name, *(np.array(positions, dtype=np.intp) for positions in by_role))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "each with a name of its own"),
        ([fold("1", [0, 1], [2], [4]), fold("1", [0, 1], [2], [4])], "each with a name of its own"),
        ([fold("1", [0, 1, 2], [3], [2])], "fold 1 has an example twice or in two roles"),
        ([fold("1", [0, 1, 2], [3], [4])], "fold 1 has samm/b in two roles"),
        ([fold("1", [0, 1], [], [4])], "fold 1 has no validation example"),
        ([fold("1", [0], [2], [4])], "fold 1 has a single train example"),
    ],
)
def test_promises_are_checked(folds: list[Fold], message: str) -> None:
    pool = labelled(*((f"samm/{name}/{clip}", "x") for clip, name in enumerate("aabbc")))
    check(Draw([fold("1", [0, 1], [2, 3], [4])], apart="subject"), pool, "own")
    with pytest.raises(UserError, match=message):
        check(Draw(folds, apart="subject"), pool, "own")


def test_a_fold_may_be_for_one_repeat() -> None:
    pool = labelled(*((f"samm/{name}/a", name) for name in "abcd"))
    draw = Draw([fold("1", [3, 0], [1], [2]), replace(fold("again", [1], [0], [2]), repeat=2)])
    rows = split_table(draw, pool)
    assert rows[["label", "fold", "split"]].values.tolist() == [
        ["a", 1, "train"],
        ["b", 1, "validation"],
        ["c", 1, "test"],
        ["d", 1, "train"],
        ["a", 2, "validation"],
        ["b", 2, "train"],
        ["c", 2, "test"],
    ]
    assert fold_table(draw, rows).values.tolist() == [
        [1, "1", "", "b,c"],
        [2, "again", "2", "a,c,d"],
    ]


def test_splits_of_single_repeats_are_numbered_and_named(data: Data) -> None:
    data.split({**RANDOM, "redraw": True})
    assert data.folds()[["fold", "name", "repeat"]].to_numpy().tolist() == [
        ["1", "repeat 1", "1"],
        ["2", "repeat 2", "2"],
    ]
    assert data.rows().groupby("fold").size().nunique() == 1
