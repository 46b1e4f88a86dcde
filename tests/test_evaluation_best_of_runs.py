"""What the best of N runs for each test subject, or test example, would have claimed."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from fabricated_runs import ALL_HAPPY, ONE_WRONG, declared, summarise, write_run, write_split
from fleeting import registry
from fleeting.evaluation import schemas
from fleeting.evaluation.best_of_runs import best_so_far, curves, orders, unit_counts
from fleeting.evaluation.kept_apart import unit_of
from fleeting.evaluation.scores import CLASS_AVERAGES

CLASSES = ["a", "b", "c"]


def random_counts(runs: int, units: int, classes: int = 3, seed: int = 0) -> np.ndarray:
    """The same true classes in all runs; each run is right more or less often."""
    generator = np.random.default_rng(seed)
    counts = np.zeros((runs, units, classes, classes), dtype=np.int32)
    labels = generator.integers(classes, size=(units, 8))
    for run in range(runs):
        guesses = np.where(
            generator.random(labels.shape) < 0.4,
            labels,
            generator.integers(classes, size=(units, 8)),
        )
        for unit in range(units):
            np.add.at(counts[run, unit], (labels[unit], guesses[unit]), 1)
    return counts


def by_hand(counts: np.ndarray, order: list[int]) -> np.ndarray:
    """The same, one unit and number of runs after the other."""
    found = []
    for number in range(1, len(order) + 1):
        pooled = np.zeros(counts.shape[2:])
        for unit in range(counts.shape[1]):
            best = max(order[:number], key=lambda run: counts[run, unit].trace())
            pooled += counts[best, unit]
        found.append(pooled)
    return np.array(found)


def test_each_unit_gets_the_earliest_of_its_best_runs() -> None:
    counts = random_counts(runs=4, units=5)
    for order in permutations(range(4)):
        expected = by_hand(counts, list(order))
        assert (best_so_far(counts, np.array(order)) == expected).all()


def test_every_run_is_equally_often_in_every_place() -> None:
    found = np.array(list(orders(8)))
    assert len(found) == 104
    assert all((np.bincount(place, minlength=8) == 13).all() for place in found.T)
    assert len(list(orders(150))) == 150
    assert (np.array(list(orders(8))) == found).all()


def test_the_curve_starts_at_the_mean_over_runs_and_rises() -> None:
    counts = random_counts(runs=12, units=20)
    found = curves(counts)
    for name, score in CLASS_AVERAGES.items():
        alone = score(counts.sum(axis=1).astype(float), [0, 1, 2])
        assert found[name][0] == pytest.approx(alone.mean(), abs=1e-12)
    assert (np.diff(found["uar"]) > 0).all()
    assert found["uar"][-1] > found["uar"][0] + 0.1


def test_one_run_or_equal_runs_leave_nothing_to_choose() -> None:
    counts = random_counts(runs=1, units=6)
    alone = curves(counts)
    assert all(len(alone[name]) == 1 for name in CLASS_AVERAGES)
    same = curves(np.repeat(counts, 5, axis=0))
    assert same["uf1"] == pytest.approx([alone["uf1"][0]] * 5)


def split(*rows: tuple[int, str, str]) -> pd.DataFrame:
    full = [(fold, f"casme/{subject}", role) for fold, subject, role in rows]
    return pd.DataFrame(full, columns=["fold", "person", "split"])


def test_runs_are_chosen_for_subjects_where_folds_separate_them() -> None:
    apart = split((1, "s1", "train"), (1, "s2", "validation"), (1, "s3", "test"), (2, "s1", "test"))
    assert unit_of(apart) == "subject"
    for role in ("train", "validation"):
        assert unit_of(split((1, "s1", role), (1, "s1", "test"))) == "example"
    # Two names of one person, in the example's own columns.
    one = split((1, "s1", "train"), (1, "s1", "test")).assign(subject=["s1", "s9"])
    assert unit_of(one) == "example"


def test_units_are_subjects_or_examples() -> None:
    rows = [
        (1, "x", "a", "a", "casme/s1"),
        (1, "y", "a", "b", "casme/s1"),
        (1, "z", "b", "b", "samm/s1"),
        (2, "x", "a", "c", "casme/s1"),
    ]
    columns = ["fold", "example", "label", "predicted", "person"]
    predictions = pd.DataFrame(rows, columns=columns)
    subjects = unit_counts(predictions, CLASSES, "subject")
    assert subjects[:, 0].tolist() == [[1, 1, 1], [0, 0, 0]]
    examples = unit_counts(predictions, CLASSES, "example")
    assert examples.shape == (4, 3, 3)
    assert examples[3, 0].tolist() == [0, 0, 1]


def test_the_table_of_an_experiment(tmp_path) -> None:
    """Two runs of six images: the better one for each image is right where either is."""
    for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    summarise(tmp_path, repeats=2)
    path = tmp_path / "experiments/paper/evaluation/best_of_runs.tsv"
    found = schemas.read(path, schemas.BEST_OF_RUNS)
    columns = ["unit", "units", "runs"]
    assert found[columns].to_numpy().tolist() == [["example", 6, 1], ["example", 6, 2]]
    assert found["uar"].tolist() == pytest.approx([(5 / 6 + 1 / 3) / 2, 1], abs=1e-6)


def test_repeats_with_splits_of_their_own_are_not_mixed(tmp_path) -> None:
    """Each repeat has two runs, which are the only ones to choose from for its images."""
    for repeat in (1, 2):
        for lr, predicted in (("1e-05", ONE_WRONG), ("1e-04", ALL_HAPPY)):
            write_run(tmp_path, predicted, repeat=repeat, fold=repeat, lr=lr)
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summarise(tmp_path, lrs=("1e-05", "1e-04"), repeats=2)
    path = tmp_path / "experiments/paper/evaluation/best_of_runs.tsv"
    found = schemas.read(path, schemas.BEST_OF_RUNS)
    assert found["runs"].tolist() == [1, 2]
    assert found["units"].tolist() == [6, 6], "the best is chosen for the images of one repeat"
    assert found["uar"].tolist() == pytest.approx([(5 / 6 + 1 / 3) / 2, 1], abs=1e-6)


def test_the_figure_has_a_panel_for_each_experiment(tmp_path) -> None:
    names = ["paper", "other"]
    for name in names:
        for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
            write_run(tmp_path, predicted, repeat=repeat, experiment=name)
        summarise(tmp_path, repeats=2, experiment=name)
    figure = registry.load("figure", "best_of_runs").draw(
        declared("figure", "best_of_runs", tmp_path, names), {}
    )
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == names
    assert shown[0].get_xlabel().endswith("6 test examples")
    curve, chosen = shown[0].lines[2:4]
    assert list(curve.get_xdata()) == [1, 2]
    assert list(curve.get_ydata()) == pytest.approx([(5 / 6 + 1 / 3) / 2, 1], abs=1e-6)
    assert chosen.get_ydata()[0] == pytest.approx((5 / 6 + 1 / 3) / 2, abs=1e-6)
