"""All training examples, each weighing in the loss by how rare its class is."""

from collections.abc import Mapping

from fleeting.settings import Variant


class Settings(Variant):
    """Nothing to set."""

    kind: str = "class_weights"


def examples(counts: Mapping[str, int], settings: Settings) -> dict[str, int]:
    """All of each class."""
    return dict(counts)


def weights(counts: Mapping[str, int], settings: Settings) -> dict[str, float]:
    """The number of examples / (classes x n_class), as scikit-learn's `class_weight="balanced"`.

    The classes are those with training examples, so that the mean weight of an example is 1.
    """
    total = sum(counts.values())
    return {label: total / (len(counts) * count) for label, count in counts.items()}
