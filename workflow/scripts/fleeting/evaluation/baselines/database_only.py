"""The most frequent class of the example's database: what telling databases apart is worth."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.most_frequent import by_database

TITLE = "the most frequent class of the database"
LOOKS_AT = "labels"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The class with the most training examples in the test example's database."""
    return by_database(fold)
