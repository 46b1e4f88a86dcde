"""The protocol's promise, checked on saved predictions; and intervals over people."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fabricated_runs import (
    LABELS,
    ONE_WRONG,
    experiment_folder,
    summarise,
    write_run,
    write_split,
)
from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.splits.protocol import GROUPS
from small_splits import Data


def predict(results: Path) -> None:
    """Runs that predict exactly the test examples of the split that lies there."""
    split = tsv.read(experiment_folder(results) / "split.tsv", tsv.SPLIT)
    for fold, rows in split[split["split"] == "test"].groupby("fold"):
        labels = rows["label"].tolist()
        write_run(results, labels, fold=int(fold), labels=labels, examples=rows["example"].tolist())


@pytest.mark.parametrize("apart", ["subject", "clip"])
def test_a_consistent_split_and_predictions_that_break_the_promise(
    tmp_path: Path, apart: str
) -> None:
    data = Data(experiment_folder(tmp_path))
    data.add()
    data.split({"kind": "grouped", "folds": 3, "group": apart})
    predict(tmp_path)
    summarise(tmp_path)
    # A test example of fold 2 and a training example change places.
    split = data.rows()
    fold = split[(split["fold"] == "2") & (split["label"] == "happiness")]
    test, train = (fold.index[fold["split"] == role][0] for role in ("test", "train"))
    split.loc[[test, train], "split"] = ["train", "test"]
    tsv.write(split, data.folder / "split.tsv", tsv.SPLIT)
    predict(tmp_path)
    with pytest.raises(UserError) as refused:
        summarise(tmp_path)
    said = str(refused.value)
    # Both groups are on two sides now: what is left of the one, and what came of the other.
    group = GROUPS[apart]
    of_fold = split[split["fold"] == "2"]
    is_test = of_fold["split"] == "test"
    broken = set(split.loc[[test, train], group])
    wrong = of_fold[is_test & of_fold[group].isin(broken)]
    assert len(broken) == 2
    assert split.loc[train, "example"] in set(wrong["example"])
    first = wrong.iloc[0]
    assert f"repeat1/part1/predictions.tsv: the protocol keeps each {apart} apart" in said
    assert f"but {len(wrong)} of 60 predictions" in said
    assert f"in fold 2, {first['example']} is tested" in said
    assert f"other examples of the {apart} {first[group]} train or validate" in said


def test_a_protocol_that_promises_nothing_may_mix(tmp_path: Path) -> None:
    data = Data(experiment_folder(tmp_path))
    data.add()
    data.split()
    predict(tmp_path)
    rows = data.rows()
    tested = set(rows.loc[rows["split"] == "test", "person"])
    assert tested & set(rows.loc[rows["split"] != "test", "person"])
    summarise(tmp_path)


def merged(results: Path, same: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The intervals of all predictions and the counts by subject, some subjects being one."""
    names = [f"{subject}/EP{clip}/1/apex" for subject in SUBJECTS for clip in (1, 2)]
    write_run(results, ONE_WRONG, examples=names, labels=LABELS)
    folder = write_split(results)
    split = tsv.read(folder / "split.tsv", tsv.SPLIT)
    tsv.write(split.replace({"person": same}), folder / "split.tsv", tsv.SPLIT)
    summarise(results)
    intervals, counts = (
        schemas.read(folder / "evaluation" / f"{name}.tsv", schema)
        for name, schema in (
            ("intervals", schemas.INTERVALS),
            ("subject_counts", schemas.SUBJECT_COUNTS),
        )
    )
    return intervals.set_index(["group", "metric"]), counts


SUBJECTS = ("casme/s1", "casme/s2", "samm/s1")


def test_people_are_resampled_and_not_their_names(tmp_path: Path) -> None:
    apart, counts = merged(tmp_path / "apart", {})
    one, counts_of_people = merged(tmp_path / "one", {"samm/s1": "casme/s2"})
    everything = ("all", "uar")
    assert (apart.loc[everything, "subjects"], one.loc[everything, "subjects"]) == (3, 2)
    assert apart.loc[everything, "effective_subjects"] == pytest.approx(3)
    # Two examples of one person and four of the other: 6^2 / (2^2 + 4^2).
    assert one.loc[everything, "effective_subjects"] == pytest.approx(1.8)
    # A database's score is still that of its own examples.
    assert set(zip(counts["database"], counts["subject"], strict=True)) == {
        *(("casme", "s1"), ("casme", "s2"), ("samm", "s1")),
    }
    assert counts_of_people.groupby(["database", "subject"])["count"].sum().to_dict() == {
        ("casme", "s1"): 2,
        ("casme", "s2"): 4,
    }
    # With a single person in each database there is nothing to permute.
    single, _ = merged(tmp_path / "single", {"casme/s2": "casme/s1"})
    assert apart.loc[everything, "permuted_p"] > 0
    assert np.isnan(single.loc[everything, "permuted_p"])
    samm = ("database/samm", "accuracy")
    assert one.loc[samm, "mean"] == apart.loc[samm, "mean"] == 1
    assert one.loc[samm, "subjects"] == 1
