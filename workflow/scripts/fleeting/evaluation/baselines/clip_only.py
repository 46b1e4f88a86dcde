"""The class of the example's clip: what recognising a clip is worth where its images are mixed."""

from collections.abc import Sequence

from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.most_frequent import by_clip

TITLE = "the class of the clip's training examples"
LOOKS_AT = "labels"
DRAWS = False


def predict(fold: FoldData) -> Sequence[str]:
    """The label of the training examples of the same clip (the same sample).

    A clip without training examples gets its subject's class, as `subject_only` says.
    """
    return by_clip(fold)
