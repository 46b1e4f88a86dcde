"""Permutation tests, against scipy's, brute force and by properties."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test

from fleeting.evaluation.confusion import of_groups
from fleeting.evaluation.metrics import accuracy, uar, uf1
from fleeting.evaluation.permutation import (
    PERMUTATIONS,
    exchange_p_value,
    exchanges,
    holm,
    label_counts,
    label_test,
    p_value,
    permuted_labels,
)

CLASSES = [0, 1, 2]


def counts(seed: int, subjects: int, skill: float, repeats: int = 1, each: int = 6) -> np.ndarray:
    """(R, S, K, K) of a model whose repeats predict the same examples."""
    label = np.random.default_rng(0).integers(0, 3, (subjects, each))
    generator = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), each)
    return np.stack(
        [
            of_groups(label.ravel(), predicted.ravel(), subject, subjects, 3)
            for predicted in (
                np.where(
                    generator.random(label.shape) < skill,
                    label,
                    generator.integers(0, 3, label.shape),
                )
                for _ in range(repeats)
            )
        ]
    )


def test_no_p_value_is_zero_and_ties_count():
    assert p_value(np.zeros(999), 1) == 0.001
    assert p_value(np.array([0.3, 0.1 + 0.2, 0.1]), 0.3) == 3 / 4


def test_holm_is_that_of_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
    # A comparison without a shared repeat is not of the family.
    nan = float("nan")
    assert holm([0.01, nan, 0.04]) == pytest.approx([0.02, nan, 0.04], nan_ok=True)


def test_few_subjects_are_exchanged_in_every_way():
    every = exchanges(3)
    assert sorted(map(tuple, every)) == sorted(product((0, 1), repeat=3))[1:]
    assert exchanges(10).shape == (1023, 10)
    drawn = exchanges(11)
    assert drawn.shape == (PERMUTATIONS, 11)
    assert (drawn == exchanges(11)).all(), "the same on every run"
    assert 0.45 < drawn.mean() < 0.55


def test_the_p_value_of_an_exchange_is_that_of_scipy():
    """Subjects of one size: the accuracy's difference is a mean of paired differences."""
    one, other = counts(1, 9, 0.7), counts(2, 9, 0.3)
    shares = [np.trace(of_model[0], axis1=1, axis2=2) / 6 for of_model in (one, other)]
    expected = permutation_test(
        tuple(shares),
        lambda first, second: np.mean(first) - np.mean(second),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    found = exchange_p_value(one, other, accuracy.score, CLASSES, exchanges(9))
    assert found == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("score", [uf1.score, uar.score])
def test_repeats_are_exchanged_together(score):
    one, other = counts(1, 6, 0.7, repeats=3), counts(2, 6, 0.4, repeats=3)

    def difference(exchanged):
        pick = np.asarray(exchanged, dtype=bool)[None, :, None, None]
        pair = np.where(pick, other, one), np.where(pick, one, other)
        first, second = (score(model.sum(axis=1), CLASSES).mean() for model in pair)
        return first - second

    every = [abs(difference(exchanged)) for exchanged in product((0, 1), repeat=6)]
    expected = np.mean(np.array(every) >= every[0] - 1e-12)
    assert exchange_p_value(one, other, score, CLASSES, exchanges(6)) == pytest.approx(expected)
    again = [np.repeat(model, 2, axis=0) for model in (one, other)]
    assert exchange_p_value(*again, score, CLASSES, exchanges(6)) == pytest.approx(expected)


def test_models_that_are_alike_are_rarely_told_apart():
    exchanged = exchanges(20, count=199)
    found = [
        exchange_p_value(
            counts(2 * seed + 1, 20, 0.5),
            counts(2 * seed + 2, 20, 0.5),
            uar.score,
            [0, 1, 2],
            exchanged,
        )
        for seed in range(200)
    ]
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.09
    apart = exchange_p_value(counts(1, 20, 0.9), counts(2, 20, 0.5), uar.score, CLASSES, exchanged)
    assert apart == 1 / 200


def test_labels_stay_in_their_database_and_blocks_together():
    subject = np.repeat(np.arange(7), [3, 3, 3, 3, 2, 4, 5])
    database = np.repeat([0, 1, 2], [12, 6, 5])
    # Each subject's labels are unlike all others'.
    label = np.arange(len(subject))
    permuted = permuted_labels(label, subject, database, count=200)
    assert permuted.shape == (200, 23)
    for one in (0, 1, 2):
        own = np.sort(permuted[:, database == one], axis=1)
        assert (own == label[database == one]).all()
    assert (permuted[:, 18:] == label[18:]).all(), "a single subject keeps its labels"
    # Of equal sizes, whole blocks are exchanged; each lands on each subject.
    blocks = permuted[:, :12].reshape(200, 4, 3)
    assert (np.diff(blocks, axis=2) == 1).all()
    assert {tuple(row) for row in (blocks[:, :, 0] // 3)} == {
        tuple(order) for order in product(range(4), repeat=4) if len(set(order)) == 4
    }
    # Of unequal ones (12 and 13 of one subject, 14 to 17 of another) they still follow each other.
    assert {tuple(row) for row in permuted[:, 12:18]} == {
        (12, 13, 14, 15, 16, 17),  # both orders are those of the data, or both are not
        (14, 15, 16, 17, 12, 13),  # the labels' order is another
        (16, 17, 12, 13, 14, 15),  # the examples' order is another
    }


def test_one_subject_a_database_has_no_permutation():
    pair = np.array([0, 0, 1, 1])
    assert permuted_labels(np.array([0, 1, 0, 1]), pair, pair) is None


def test_counts_are_those_of_every_permutation():
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, (5, 40))
    predicted = generator.integers(0, 3, (2, 40))
    found = label_counts(labels, np.eye(3)[predicted])
    for permutation, repeat in product(range(5), range(2)):
        expected = of_groups(labels[permutation], predicted[repeat], np.zeros(40, int), 1, 3)[0]
        assert (found[permutation, repeat] == expected).all()


def test_a_classifier_of_databases_is_above_chance_and_no_better_than_permuted_labels():
    """One over the number of classes is not the null; permuted labels are."""
    generator = np.random.default_rng(3)
    database = np.repeat([0, 1], 120)
    subject = np.repeat(np.arange(24), 10)
    frequent = np.where(database == 0, 0, 1)
    label = np.where(generator.random(240) < 0.6, frequent, generator.integers(0, 3, 240))
    permuted = permuted_labels(label, subject, database)

    def test(predicted, repeats=1):
        named = np.repeat(np.eye(3)[predicted][None], repeats, axis=0)
        observed = label_counts(label[None], named)
        score = uar.score(observed, CLASSES).mean()
        return score, label_test(label_counts(permuted, named), observed, uar.score, CLASSES)

    score, found = test(frequent)
    assert score > 0.45
    assert found.mean == pytest.approx(score), "the same in every permutation"
    assert found.p == 1
    skilled = np.where(generator.random(240) < 0.5, label, frequent)
    score, found = test(skilled)
    assert found.p == 1 / (1 + PERMUTATIONS)
    assert found.mean < score - 0.1
    assert test(skilled, repeats=3) == (score, found)
