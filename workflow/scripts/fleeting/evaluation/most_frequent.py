"""The most frequent class among training examples that share something with a test example.

Predictors made of it never look at a face: they are the null models of a database, a subject or a
clip.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from fleeting.evaluation.baseline import FoldData

if TYPE_CHECKING:
    import pandas as pd


def of_all(fold: FoldData) -> list[str]:
    """The most frequent class of all training examples, for each test example."""
    totals = Counter(fold.train["label"])
    return [max(fold.classes, key=totals.__getitem__)] * len(fold.test)


def by_database(fold: FoldData) -> list[str]:
    """The most frequent class of each test example's database, else that of all."""
    return most_frequent(fold, ["database"])


def by_database_balanced(fold: FoldData) -> list[str]:
    """The class of which the database has the largest share, else the most frequent of all."""
    return most_frequent(fold, ["database"], balanced=True)


def by_subject(fold: FoldData) -> list[str]:
    """The most frequent class of each test example's subject, else that of its database."""
    return most_frequent(fold, ["person"], by_database(fold))


def by_clip(fold: FoldData) -> list[str]:
    """The class of the clip in training, else the most frequent one of its subject."""
    return most_frequent(fold, ["sample"], by_subject(fold))


def most_frequent(
    fold: FoldData,
    columns: list[str],
    otherwise: Sequence[str] | None = None,
    balanced: bool = False,
) -> list[str]:
    """The most frequent class among the training examples that agree with each test example.

    Of equally frequent classes, the first in the order of the classes.

    Args:
        fold: the fold.
        columns: in which they agree.
        otherwise: the class of each test example with which none agrees; None: the most frequent
            class of all training examples.
        balanced: divide the counts by those of the class in all training examples.
    """
    totals = Counter(fold.train["label"])
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for key, label in zip(_keys(fold.train, columns), fold.train["label"], strict=True):
        counts[key][label] += 1

    def first(own: Counter[str]) -> str:
        weights = {name: totals[name] if balanced else 1 for name in fold.classes}
        return max(fold.classes, key=lambda name: own[name] / (weights[name] or 1))

    found = {key: first(own) for key, own in counts.items()}
    keys, others = _keys(fold.test, columns), otherwise or of_all(fold)
    return [found.get(key, other) for key, other in zip(keys, others, strict=True)]


def _keys(frame: "pd.DataFrame", columns: list[str]) -> list[Hashable]:
    return list(zip(*(frame[column] for column in columns), strict=True))
