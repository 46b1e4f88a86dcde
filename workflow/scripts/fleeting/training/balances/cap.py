"""At most some number of training examples of each class."""

from collections.abc import Mapping

from pydantic import Field

from fleeting.settings import Variant


class Settings(Variant):
    """The keys of `balance: {kind: cap}`."""

    kind: str = "cap"
    examples: int = Field(ge=1, description="The most training examples of a class in a fold.")


def examples(counts: Mapping[str, int], settings: Settings) -> dict[str, int]:
    """`examples` of each class that has more."""
    return {label: min(count, settings.examples) for label, count in counts.items()}
