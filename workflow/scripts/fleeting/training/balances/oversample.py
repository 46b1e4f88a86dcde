"""Training examples repeated until each class is as frequent as the largest."""

from collections.abc import Mapping

from fleeting.settings import Variant


class Settings(Variant):
    """Nothing to set."""

    kind: str = "oversample"


def examples(counts: Mapping[str, int], settings: Settings) -> dict[str, int]:
    """The largest count of all classes."""
    return dict.fromkeys(counts, max(counts.values()))
