"""The class of the most similar training example."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData

TITLE = "nearest neighbour"
LOOKS_AT = "examples"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The label of the training example with the smallest Euclidean distance of the values."""
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    model.fit(fold.train_points, fold.train["label"])
    return list(model.predict(fold.test_points))
