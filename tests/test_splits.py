"""Splits: labels, sources used once, nothing lost, promises checked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.splits.base import Draw, Fold
from fleeting.splits.pool import make_pool
from fleeting.splits.roles import read_roles
from fleeting.splits.split import account, check, fold_table, role_table
from small_splits import LABELS, RANDOM, SUBJECT_OUT, Data, examples, labelled, twenty_samples


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """A results folder with three examples each of 20 samples of 5 subjects."""
    made = Data(tmp_path, ["samm"])
    made.add("samm", twenty_samples())
    return made


def codes(unused: pd.DataFrame) -> dict[str, str]:
    return dict(zip(unused["example"], unused["code"], strict=True))


def test_labels_and_excluded_subjects() -> None:
    table = examples(
        ("samm/006/a", "apex", "amusement", "1"),
        ("samm/007/b", "apex", "hapiness", "3"),
        ("samm/007/c", "apex", "fear", "4"),
        ("samm/008/d", "apex", "other", "5"),
    )
    pool = make_pool(table, LABELS, ["samm/008"])
    assert pool.examples[["example", "label"]].values.tolist() == [["samm/006/a/apex", "happiness"]]
    assert codes(pool.unused) == {
        "samm/007/b/apex": "emotion_unmapped",
        "samm/007/c/apex": "emotion_unmapped",
        "samm/008/d/apex": "excluded_subject",
    }
    details = dict(zip(pool.unused["example"], pool.unused["detail"], strict=True))
    typo = details["samm/007/b/apex"]
    assert "t.xlsx, row 7" in typo
    assert "'happiness'" in typo
    assert details["samm/007/c/apex"] == "fear"
    reasons = dict(zip(pool.unused["code"], pool.unused["reason"], strict=True))
    assert reasons["emotion_unmapped"] == "emotion not in the label map"


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
    pool = make_pool(table, LABELS, ["casme/u"])
    unused = codes(pool.unused)
    assert unused["casme/u/f/apex"] == "excluded_subject"
    assert unused["casme/u/g/apex"] == "same_source"
    assert list(pool.examples["example"]) == [
        "casme/s/a/apex",
        "casme/s/b/apex",
        "casme/s/e/apex",
        "casme/s/h/onset",
    ]
    details = dict(zip(pool.unused["example"], pool.unused["detail"], strict=True))
    assert details["casme/s/a/onset"] == "casme/s/a/apex"
    assert details["casme/s/c/apex"] == "casme/s/b/apex, which is labelled others"


def test_an_unknown_excluded_subject_is_an_error() -> None:
    with pytest.raises(UserError, match=r"no example is of 'samm/06'; do you mean 'samm/006'\?"):
        make_pool(examples(("samm/006/a", "apex", "other", "1")), LABELS, ["samm/06"])


def test_every_example_is_in_the_split_or_unused(data: Data) -> None:
    data.split({**RANDOM, "images_per_class": 20}, exclude_subjects=["samm/004"])
    rows, unused = data.rows(), data.unused()
    assert len(rows) + len(unused) == 60
    assert list(rows["example"]) == sorted(rows["example"])
    assert set(rows["fold"]) == {"1"}
    assert set(unused["code"]) == {"excluded_subject", "over_cap"}
    assert list(unused["example"]) == sorted(unused["example"])
    assert data.folds().values.tolist() == [["1", "1", "", ""]]
    before = {path: path.read_bytes() for path in data.folder.glob("*.*")}
    data.split({**RANDOM, "images_per_class": 20}, exclude_subjects=["samm/004"])
    assert before == {path: path.read_bytes() for path in data.folder.glob("*.*")}


def test_leaving_subjects_out(data: Data) -> None:
    data.split(SUBJECT_OUT)
    rows, folds = data.rows(), data.folds()
    assert list(folds["fold"]) == ["1", "2", "3", "4", "5"]
    assert list(folds["name"]) == [f"samm/00{number}" for number in range(5)]
    assert len(rows) == 5 * 60
    order = rows["fold"].astype(int)
    assert order.is_monotonic_increasing
    for _, fold in rows.groupby("fold"):
        assert list(fold["example"]) == sorted(fold["example"])
        assert not fold["example"].duplicated().any()
    tested = rows[rows["split"] == "test"]
    assert not tested["example"].duplicated().any()
    assert len(tested) == 60
    assert data.unused().empty


def test_classes_that_a_training_side_lacks_are_listed(
    data: Data, caplog: pytest.LogCaptureFixture
) -> None:
    samples = [("1", "a", "other"), ("2", "b", "happiness"), ("3", "c", "other")]
    data.add("samm", [*samples, ("4", "d", "other")])
    with caplog.at_level("INFO"):
        data.split(SUBJECT_OUT, {**LABELS, "tense": ["tense"]})
    lacks = dict(data.folds()[["name", "lacks"]].values)
    assert lacks["samm/2"] == "happiness"
    count = sum(bool(value) for value in lacks.values())
    assert "Warning: class tense: no listed database has an example of it; left out" in caplog.text
    assert f"class happiness: {count} of 4 folds have no training example of it" in caplog.text


@pytest.mark.parametrize(
    ("protocol", "labels", "message"),
    [
        (RANDOM, {**LABELS, "happiness": ["joy"]}, "fewer than two classes"),
        ({**RANDOM, "test_fraction": 0.001}, LABELS, "fold 1 has no test example"),
        ({**RANDOM, "validation": {"from": "surplus"}}, LABELS, "fold 1 has no validation example"),
    ],
)
def test_too_little_is_an_error(
    data: Data, protocol: dict[str, Any], labels: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        data.split(protocol, labels)


def test_two_databases_share_a_split_if_their_arrays_are_alike(tmp_path: Path) -> None:
    data = Data(tmp_path, ["casme", "empty", "samm"])
    for database in ("casme", "samm"):
        data.add(database, twenty_samples())
    data.add("empty", [], shape=(1,))
    data.split({**RANDOM, "images_per_class": 40})
    assert set(data.rows()["database"]) == {"casme", "samm"}
    data.add("samm", twenty_samples(), shape=(9, 8, 3))
    with pytest.raises(
        UserError, match=r"casme.npy holds arrays of 8 x 8 x 3 .*samm.npy of 9 x 8 x 3"
    ):
        data.split(RANDOM)


def test_tables_that_do_not_belong_together_are_named(data: Data) -> None:
    made = tsv.read(data.examples("samm"), tsv.EXAMPLES)
    tsv.write(pd.concat([made, made[:1]]), data.examples("samm"), tsv.EXAMPLES)
    with pytest.raises(UserError, match="example samm/000/clip0/1/onset stands twice"):
        data.split(RANDOM)
    tsv.write(made.assign(sample="samm/x"), data.examples("samm"), tsv.EXAMPLES)
    with pytest.raises(UserError, match="an example of a sample that no table of annotations has"):
        data.split(RANDOM)
    tsv.write(made[:0], data.examples("samm"), tsv.EXAMPLES)
    with pytest.raises(UserError, match="no database has an example"):
        data.split(RANDOM)


def fold(name: str, *sides: list[int]) -> Fold:
    return Fold(name, *(np.array(side, dtype=np.intp) for side in sides))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "folds need names"),
        ([fold("1", [0, 1], [2], [4]), fold("1", [0, 1], [2], [4])], "folds need names"),
        ([fold("1", [0, 1, 2], [3], [2])], "fold 1 has an example twice or on two sides"),
        ([fold("1", [0, 1, 2], [3], [4])], "fold 1 has b on two sides"),
        ([fold("1", [0, 1], [], [4])], "fold 1 has no validation example"),
        ([fold("1", [0], [2], [4])], "fold 1 has a single train example"),
    ],
)
def test_promises_are_checked(folds: list[Fold], message: str) -> None:
    nothing = labelled(("samm/1/a", "a")).iloc[:0]
    check(Draw([fold("1", [0, 1], [2, 3], [4])], nothing, groups=list("aabbc")), "own")
    with pytest.raises(UserError, match=message):
        check(Draw(folds, nothing, groups=list("aabbc")), "own")


def test_a_fold_may_be_for_one_repeat() -> None:
    pool = labelled(*((f"samm/{name}/a", name) for name in "abcd"))
    folds = [fold("1", [3, 0], [1], [2]), replace(fold("again", [1], [0], [2]), repeat=2)]
    draw = Draw(folds, pool.iloc[3:])
    assert fold_table(draw, pool).values.tolist() == [
        [1, "1", "", "b,c"],
        [2, "again", "2", "a,c,d"],
    ]
    rows = role_table(draw, pool)
    assert rows[["label", "fold", "split"]].values.tolist() == [
        ["a", 1, "train"],
        ["b", 1, "validation"],
        ["c", 1, "test"],
        ["d", 1, "train"],
        ["a", 2, "validation"],
        ["b", 2, "train"],
        ["c", 2, "test"],
    ]


def test_a_lost_example_is_noticed() -> None:
    everything = pd.Series(["a", "b", "c"])
    account(everything, everything[:2], everything[2:])
    for used, unused in ((["a"], ["c"]), (["a", "b"], ["b", "c"])):
        with pytest.raises(UserError, match=r"accounting: 3 examples, .*for example b"):
            account(everything, pd.Series(used), pd.Series(unused))


def test_roles_are_those_of_the_table(data: Data) -> None:
    data.split(SUBJECT_OUT)
    rows = data.rows()
    found = read_roles(data.folder / "split.tsv", data.folder / "folds.tsv")
    assert [(one.fold, one.name, one.repeat) for one in found] == [
        (number + 1, f"samm/00{number}", None) for number in range(5)
    ]
    for one in found:
        for role in ("train", "validation", "test"):
            expected = rows[(rows["fold"] == str(one.fold)) & (rows["split"] == role)]
            side = getattr(one, role)
            assert side.examples == list(expected["example"])
            assert side.labels == list(expected["label"])
    tsv.write(data.folds()[1:], data.folder / "folds.tsv", tsv.FOLDS)
    with pytest.raises(UserError, match="do not have the same folds; rerun"):
        read_roles(data.folder / "split.tsv", data.folder / "folds.tsv")
