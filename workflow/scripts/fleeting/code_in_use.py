"""The code that a job runs, as part of what its results depend on."""

import sys
from pathlib import Path

from fleeting.paths import sha256


def digests() -> dict[str, str]:
    """The sha256 of each of this project's modules that this process has imported, by name."""
    own = {
        name: module.__file__
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "fleeting"
    }
    return {name: sha256(Path(file)) for name, file in own.items() if file}
