"""Each class as often as among the training examples, at random."""

from collections.abc import Sequence

import numpy as np

from fleeting.evaluation.baseline import FoldData

TITLE = "each class as often as in training, at random"
LOOKS_AT = "labels"
DRAWS = True


def predict(fold: FoldData) -> Sequence[str]:
    """A class for each test example, drawn with the fold's seed."""
    from sklearn.dummy import DummyClassifier

    model = DummyClassifier(strategy="stratified", random_state=fold.seed)
    model.fit(np.zeros((len(fold.train), 1)), fold.train["label"])
    return list(model.predict(np.zeros((len(fold.test), 1))))
