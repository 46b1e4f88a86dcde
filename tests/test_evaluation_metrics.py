"""The metrics against scikit-learn's, and which examples and classes count."""

from math import isnan

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from fleeting import registry
from fleeting.evaluation import confusion


def metric(name):
    """The metric of labels and predictions."""
    score = registry.load("metric", name).score

    def of_predictions(label, predicted, classes):
        return float(
            score(confusion.of_groups(label, predicted, np.zeros_like(label), 1, 8)[0], classes)
        )

    return of_predictions


@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [0, 2], [3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("seed", range(20))
def test_metrics_are_those_of_scikit_learn(classes, seed):
    generator = np.random.default_rng(seed)
    # Class 4 never occurs, and in short arrays others are missing on one side or on both.
    label, predicted = generator.integers(0, 4, (2, 3 + 4 * seed))
    for name, other in (("uf1", f1_score), ("uar", recall_score), ("precision", precision_score)):
        expected = other(label, predicted, labels=classes, average="macro", zero_division=0)
        assert metric(name)(label, predicted, classes) == pytest.approx(expected, abs=1e-12)
    every = metric("accuracy")(label, predicted, range(5))
    assert every == pytest.approx(accuracy_score(label, predicted))


def test_classes_are_those_that_are_passed():
    label, predicted = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    # Class 2 was predicted and has no example: with it, a third class of score 0 counts.
    assert metric("uar")(label, predicted, [0, 1]) == pytest.approx(0.75)
    assert metric("uar")(label, predicted, [0, 1, 2]) == pytest.approx(0.5)
    assert metric("uf1")(label, predicted, [0, 1]) == pytest.approx((2 / 3 + 1) / 2)


def test_accuracy_and_support_count_examples_of_the_classes_alone():
    label, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    assert metric("accuracy")(label, predicted, [0, 1]) == pytest.approx(2 / 3)
    assert metric("support")(label, predicted, [0, 1]) == 3
    assert isnan(metric("accuracy")(label, predicted, [7]))
    assert metric("support")(label, predicted, [7]) == 0


@pytest.mark.parametrize("name", registry.names("metric"))
def test_many_matrices_at_once(name):
    """In any shape, with matrices that lack a class, or that are empty."""
    matrices = np.random.default_rng(1).integers(0, 4, (3, 5, 4, 4)).astype(float)
    matrices[0, 0] = 0
    matrices[1, 1, 2] = 0
    score = registry.load("metric", name).score
    found = score(matrices, [0, 2, 3])
    assert found.shape == (3, 5)
    one_by_one = [[score(matrix, [0, 2, 3]) for matrix in row] for row in matrices]
    np.testing.assert_array_equal(found, one_by_one)
