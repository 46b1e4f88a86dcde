"""The code that a job runs, as part of what its results depend on."""

import sys
from pathlib import Path

from fleeting import registry
from fleeting.paths import sha256


def digests() -> dict[str, str]:
    """The sha256 of each module of this project, and of the user's own, that was imported here."""
    packages = {"fleeting", *registry.OWN}
    own = {
        name: module.__file__
        for name, module in sys.modules.items()
        if name.partition(".")[0] in packages
    }
    return {name: sha256(Path(file)) for name, file in own.items() if file}
