"""The same as `database_only` with classes weighed by their frequency, for scores such as UAR."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.most_frequent import by_database_balanced

TITLE = "the class of which the database has the largest share"
LOOKS_AT = "labels"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The class with the most training examples in the database, as a share of the class's."""
    return by_database_balanced(fold)
