"""Classes drawn at random, as scikit-learn draws them."""

from collections.abc import Sequence

import numpy as np

from fleeting.evaluation.baseline import FoldData


def drawn(fold: FoldData, strategy: str) -> Sequence[str]:
    """A class for each test example, drawn with the fold's seed.

    Args:
        fold: the fold.
        strategy: of `DummyClassifier`: `uniform` or `stratified`.
    """
    from sklearn.dummy import DummyClassifier

    model = DummyClassifier(strategy=strategy, random_state=fold.seed)
    model.fit(np.zeros((len(fold.train), 1)), fold.train["label"])
    return list(model.predict(np.zeros((len(fold.test), 1))))
