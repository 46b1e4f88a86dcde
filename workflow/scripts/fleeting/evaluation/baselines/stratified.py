"""Each class as often as among the training examples, at random."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.drawn import drawn

TITLE = "each class as often as in training, at random"
LOOKS_AT = "labels"
DRAWS = True


def predict(fold: FoldData) -> Sequence[str]:
    """A class for each test example, drawn with the fold's seed."""
    return drawn(fold, "stratified")
