"""Modules found by name: databases, their synthetic stand-ins, detectors and models.

What differs by one of these lives in a module of its own, so that a job depends on
that module alone and an edit of it never reruns its siblings.
"""

import importlib
from pathlib import Path
from types import ModuleType

from fleeting.errors import UserError

PACKAGE = Path(__file__).parent
FOLDERS = {
    "database": "databases/readers",
    "detector": "faces/detectors",
    "model": "training/models",
    "synthetic": "synthetic/writers",
}


def names(kind: str) -> list[str]:
    """The names that `load(kind, name)` knows, sorted. `kind` is a key of `FOLDERS`."""
    modules = {path.stem for path in (PACKAGE / FOLDERS[kind]).glob("*.py")}
    return sorted(modules - {"__init__"})


def module_name(kind: str, name: str) -> str:
    """The dotted name of the module that holds `name`; a `UserError` lists the known names."""
    if name not in names(kind):
        raise UserError(f"no {kind} is called {name!r}; known: {', '.join(names(kind))}")
    return ".".join(["fleeting", *FOLDERS[kind].split("/"), name])


def load(kind: str, name: str) -> ModuleType:
    """Import the module that holds `name`."""
    return importlib.import_module(module_name(kind, name))
