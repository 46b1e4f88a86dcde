"""The paired difference of two experiments, and the table of matched protocols."""

import numpy as np
import pandas as pd
import pytest

from fabricated_runs import SETTINGS, declared
from fleeting import registry, tsv
from fleeting.evaluation import intervals, schemas
from fleeting.evaluation.metrics import uar
from fleeting.evaluation.paired import counts_of, difference

CLASSES = ["a", "b", "c"]
SUBJECTS = [("casme" if subject % 2 else "samm", f"s{subject}") for subject in range(30)]


def table(skill: float, repeats: int = 2, seed: int = 1, hard: float = 0.3) -> pd.DataFrame:
    """Predictions of 30 subjects, of whom some are hard in every experiment."""
    difficulty = np.random.default_rng(0).uniform(-hard, hard, len(SUBJECTS))
    generator = np.random.default_rng(seed)
    rows = []
    for repeat in range(1, repeats + 1):
        for (database, subject), easier in zip(SUBJECTS, difficulty, strict=True):
            for _ in range(9):
                label = generator.choice(CLASSES)
                right = generator.random() < skill + easier
                predicted = label if right else generator.choice(CLASSES)
                rows.append(("small", "1e-02", repeat, database, subject, label, predicted, 1))
    return pd.DataFrame(rows, columns=list(schemas.SUBJECT_COUNTS))


def of(first: pd.DataFrame, second: pd.DataFrame):
    counts = [counts_of(one, SUBJECTS, CLASSES) for one in (first, second)]
    return difference(*counts, [database for database, _ in SUBJECTS], uar.score)


def test_counts_are_those_of_the_table() -> None:
    counts = counts_of(table(0.5), SUBJECTS, CLASSES)
    assert counts.shape == (2, 30, 3, 3)
    assert (counts.sum(axis=(2, 3)) == 9).all()
    rows = table(0.5)
    own = rows[(rows["repeat"] == 2) & (rows["subject"] == "s7") & (rows["label"] == "b")]
    assert counts[1, 7, 1].sum() == own["count"].sum()


def test_equal_predictions_differ_by_nothing() -> None:
    found = of(table(0.6, repeats=1), table(0.6, repeats=1))
    assert (found.mean, found.low, found.high) == (0, 0, 0)


def test_a_leak_is_a_difference_above_zero() -> None:
    found = of(table(0.75, seed=1), table(0.5, seed=2))
    assert found.kind == intervals.BOOTSTRAP
    assert 0.05 < found.low < found.mean < found.high
    back = of(table(0.5, seed=2), table(0.75, seed=1))
    assert back.mean == pytest.approx(-found.mean)


def test_pairing_narrows_the_interval() -> None:
    """Subjects that are hard in both experiments cancel out."""
    first, second = (
        table(0.6, repeats=1, seed=1, hard=0.35),
        table(0.6, repeats=1, seed=2, hard=0.35),
    )
    paired = of(first, second)
    names = [database for database, _ in SUBJECTS]
    alone = [
        intervals.Bootstrap(counts_of(one, SUBJECTS, CLASSES), intervals.draw(names, 1)).interval(
            uar.score, [0, 1, 2]
        )
        for one in (first, second)
    ]
    independent = np.hypot(*(one.high - one.low for one in alone))
    assert paired.high - paired.low < 0.95 * independent


def test_repeats_that_correspond_are_drawn_together() -> None:
    """Equal in every repeat, though repeats differ, is a difference of nothing."""
    tables = [
        table(skill, repeats=1, seed=seed).assign(repeat=seed)
        for seed, skill in enumerate((0.2, 0.5, 0.8))
    ]
    counts = counts_of(pd.concat(tables), SUBJECTS, CLASSES)
    databases = [database for database, _ in SUBJECTS]
    apart = difference(counts, counts, databases, uar.score)
    assert apart.low < -0.05 < 0.05 < apart.high
    paired = difference(counts, counts, databases, uar.score, paired_repeats=True)
    assert (paired.low, paired.mean, paired.high) == (0, 0, 0)


def test_few_subjects_have_a_range() -> None:
    few = [one[one["subject"].isin(["s1", "s2", "s3"])] for one in (table(0.8), table(0.5, seed=2))]
    found = of(*few)
    assert (found.kind, found.subjects) == (intervals.RANGE, 3)
    assert found.low <= found.mean <= found.high


def matched(results, protocols, tables):
    files = declared("table", "matched", results, list(protocols))
    for path, one in zip(files["counts"], tables, strict=True):
        tsv.write(one, path, schemas.SUBJECT_COUNTS)
    settings = {**SETTINGS, "experiments.*.protocol": protocols}
    return registry.load("table", "matched").make(files, settings)


def test_the_table_has_a_row_for_each_shared_configuration_and_metric(tmp_path) -> None:
    apart, mixed = table(0.5, seed=2), table(0.75)
    alone = mixed.assign(model="resnet18")
    frame, page = matched(
        tmp_path,
        {"apart": {"kind": "grouped"}, "mixed": {"kind": "matched", "to": "apart"}},
        [apart, pd.concat([mixed, alone])],
    )
    assert frame[["matched", "to", "model", "metric"]].to_numpy().tolist() == [
        ["mixed", "apart", "small", "uf1"],
        ["mixed", "apart", "small", "uar"],
    ]
    row = frame.iloc[1]
    assert row["difference"] == pytest.approx(row["mixed"] - row["apart"])
    assert 0 < row["interval_low"] < row["difference"] < row["interval_high"]
    assert "No experiment" not in page.note
    assert page.parts[0][1]["its 95% interval"].str.startswith("[").all()


def test_without_a_matched_experiment_the_table_says_so(tmp_path) -> None:
    frame, page = matched(tmp_path, {"paper": {"kind": "random_images"}}, [table(0.5)])
    assert frame.empty
    assert page.note.startswith("No experiment of this config is matched to another.")
