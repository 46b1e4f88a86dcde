"""No detector: the picture is taken whole, for example if it is already a crop."""

from fleeting.faces.weights import Source
from fleeting.settings import Variant

#: There are no weights.
SOURCE: Source | None = None


class Settings(Variant):
    """Nothing to set."""

    kind: str = "none"
