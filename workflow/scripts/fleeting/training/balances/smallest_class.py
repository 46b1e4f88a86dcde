"""As many training examples of each class as the smallest class has."""

from collections.abc import Mapping

from fleeting.settings import Variant


class Settings(Variant):
    """Nothing to set."""

    kind: str = "smallest_class"


def examples(counts: Mapping[str, int], settings: Settings) -> dict[str, int]:
    """The smallest count of all classes; a class that is absent in training is not one of them."""
    return dict.fromkeys(counts, min(counts.values()))
