"""The most frequent class of the example's subject: what recognising a person is worth."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.most_frequent import by_subject

TITLE = "the most frequent class of the subject"
LOOKS_AT = "labels"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The class with the most training examples of the test example's subject.

    A subject without training examples gets its database's class: with subjects left out, this is
    `database_only`.
    """
    return by_subject(fold)
