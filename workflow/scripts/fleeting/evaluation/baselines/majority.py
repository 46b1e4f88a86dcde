"""Always the most frequent class of the training examples."""

from collections.abc import Sequence

import numpy as np

from fleeting.evaluation.baseline import FoldData

TITLE = "always the most frequent class"
LOOKS_AT = "labels"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The first of the most frequent classes, for every test example.

    Where test and training examples complement each other, as on balanced classes with one subject
    left out, this is the class that the test examples have least of.
    """
    from sklearn.dummy import DummyClassifier

    model = DummyClassifier(strategy="most_frequent")
    model.fit(np.zeros((len(fold.train), 1)), fold.train["label"])
    return list(model.predict(np.zeros((len(fold.test), 1))))
