"""No detector: the picture is taken whole, for example a face that is cropped already."""

from fleeting.faces.weights import Source
from fleeting.settings import Variant

#: There are no weights.
SOURCE: Source | None = None


class Settings(Variant):
    """There is nothing to set."""

    kind: str = "none"
