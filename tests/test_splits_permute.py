"""Permuted labels: what stays together, what is kept, and what the split says of it."""

from collections import Counter

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.splits.permute import PermuteLabels, permuted
from small_splits import Data

LABELS = ("happiness", "others", "surprise")


def pool() -> pd.DataFrame:
    """Two databases; each subject mostly has one class, and clips have one to three examples."""
    rows = []
    for database, subjects in (("casme", 9), ("samm", 6)):
        for subject in range(subjects):
            for clip in range(3 + subject % 3):
                label = LABELS[subject % 3 if clip else (subject + 1) % 3]
                sample = f"{database}/{subject:02d}/{clip}"
                facts = (sample, database, f"{subject:02d}", f"{database}/{subject:02d}", label)
                for phase in tsv.PHASES[: 1 + (subject + clip) % 3]:
                    rows.append((f"{sample}/{phase}", *facts))
    columns = ["example", "sample", "database", "subject", "person", "label"]
    return pd.DataFrame(rows, columns=columns).sort_values("example", ignore_index=True)


def of(unit: str, seed: int = 1) -> pd.DataFrame:
    return permuted(pool(), PermuteLabels(unit=unit, seed=seed))


def counts(table: pd.DataFrame, *columns: str) -> dict[object, int]:
    return dict(Counter(table[list(columns)].itertuples(index=False, name=None)))


def samples(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop_duplicates("sample")


@pytest.mark.parametrize("unit", ["example", "clip", "subject"])
def test_only_labels_change_and_the_seed_decides_them(unit: str) -> None:
    before, after = pool(), of(unit)
    assert after.drop(columns="label").equals(before.drop(columns="label"))
    moved = (after["label"] != before["label"]).mean()
    assert 0.3 < moved < 0.9
    assert (of(unit)["label"] == after["label"]).all()
    assert (of(unit, seed=2)["label"] != after["label"]).any()


def test_examples_keep_the_classes_of_their_database() -> None:
    after = of("example")
    assert counts(after, "database", "label") == counts(pool(), "database", "label")
    assert (after.groupby("sample")["label"].nunique() > 1).any()


def test_clips_stay_whole_and_cross_databases() -> None:
    before, after = samples(pool()), of("clip")
    assert (after.groupby("sample")["label"].nunique() == 1).all()
    assert counts(samples(after), "label") == counts(before, "label")
    assert counts(samples(after), "database", "label") != counts(before, "database", "label")


def runs(table: pd.DataFrame) -> Counter[tuple[str, ...]]:
    """The labels of each subject's samples."""
    grouped = samples(table).groupby(["database", "subject"])["label"]
    return Counter(tuple(labels) for _, labels in grouped)


def test_subjects_labels_stay_side_by_side_within_their_database() -> None:
    before, after = samples(pool()), of("subject")
    assert (after.groupby("sample")["label"].nunique() == 1).all()
    assert counts(samples(after), "database", "label") == counts(before, "database", "label")
    # A subject has as few classes as before, or one more where two subjects' labels meet.
    by_subject = samples(after).groupby(["database", "subject"])["label"]
    changes = by_subject.agg(lambda labels: int((labels != labels.shift()).sum() - 1))
    shuffled = samples(of("clip")).groupby(["database", "subject"])["label"]
    assert changes.mean() < 1.8
    assert shuffled.agg(lambda labels: int((labels != labels.shift()).sum() - 1)).mean() > 1.8


def test_subjects_of_one_size_swap_their_labels_as_they_are() -> None:
    even = pool()
    even = even[even.groupby(["database", "subject"])["sample"].transform("nunique") == 3]
    even = even.assign(label=even["sample"]).reset_index(drop=True)
    after = permuted(even, PermuteLabels(unit="subject", seed=1))
    assert runs(after) == runs(even)
    assert (after["label"].to_numpy() != even["label"].to_numpy()).any()


def test_subjects_of_one_person_stay_side_by_side() -> None:
    """Two persons of two subjects each swap their labels as wholes, or keep them."""
    table = pool()
    table = table[(table["database"] == "samm") & table["sample"].str.contains("/0[0134]/[012]")]
    number = table["subject"].astype(int)
    table = table.assign(person=(number % 3).map("samm/{:02d}".format), label=table["subject"])
    for seed in range(8):
        after = permuted(table.reset_index(drop=True), PermuteLabels(unit="subject", seed=seed))
        of_persons = after.groupby("person")["label"].agg(set)
        assert sorted(map(sorted, of_persons)) == [["00", "03"], ["01", "04"]]


def test_the_split_holds_permuted_labels_and_says_so(tmp_path, caplog) -> None:
    data = Data(tmp_path)
    data.add()
    data.split()
    before = data.rows()
    data.split(permute_labels={"unit": "subject", "seed": 3})
    after = data.rows()
    assert "Warning: labels permuted by subject (seed 3): they have no meaning" in caplog.messages
    both = before.merge(after, on="example", suffixes=("", "_permuted"))
    assert 0 < (both["label"] == both["label_permuted"]).mean() < 1
    assert (after.groupby("sample")["label"].nunique() == 1).all()
