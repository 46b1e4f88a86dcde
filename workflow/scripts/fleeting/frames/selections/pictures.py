"""One ready picture of the whole clip, such as a face or a picture of its motion.

The annotations' column `picture` names the file, relative to the folder of the database's frames.
"""

from fleeting.frames.wanted import Sample, Wanted
from fleeting.settings import Variant

#: A picture of a whole clip shows none of them.
PHASES = ()


class Settings(Variant):
    """Nothing to set."""

    kind: str = "pictures"


def label(settings: Settings) -> str:
    """The name of the folder in the results."""
    return "pictures"


def wanted(sample: Sample, settings: Settings) -> list[Wanted]:
    """The sample's picture; a database without the column has none."""
    return [Wanted(name="picture", path=sample.get("picture", ""))]
