"""Variants: modules found by name, such as readers, detectors, protocols, optimisers and tables.

A variant is one file in the folder of its kind. A job depends on the module that the config names
and on none of its siblings, so that editing one reruns only what uses it.
"""

import ast
import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from fleeting.errors import UserError

PACKAGE = Path(__file__).parent
FOLDERS = {
    "reader": "databases/readers",
    "selection": "frames/selections",
    "detector": "faces/detectors",
    "input": "inputs",
    "flow": "examples/flows",
    "apex": "examples/apexes",
    "label_map": "splits/label_maps",
    "protocol": "protocols",
    "network": "training/networks",
    "optimiser": "training/optimisers",
    "schedule": "training/schedules",
    "augmentation": "training/augmentations",
    "balance": "training/balances",
    "metric": "evaluation/metrics",
    "baseline": "evaluation/baselines",
    "table": "tables",
    "figure": "figures",
    "synthetic": "synthetic/writers",
}
#: The packages of the user's that this process imported modules of.
OWN: set[str] = set()
#: The constants that each module of a kind declares.
DECLARED = {
    "label_map": ("TITLE", "SOURCE", "COLUMN", "CLASSES", "COUNTS"),
    "table": ("READS", "CAPTION"),
    "figure": ("READS", "CAPTION"),
}


@cache
def names(kind: str) -> list[str]:
    """The names of all variants of a kind (a key of `FOLDERS`), sorted."""
    modules = {path.stem for path in (PACKAGE / FOLDERS[kind]).glob("*.py")}
    return sorted(modules - {"__init__"})


def module_name(kind: str, name: str) -> str:
    """The dotted name of a variant's module; a `UserError` lists the known names."""
    if name not in names(kind):
        raise UserError(f"no {kind} is called {name!r}; known: {', '.join(names(kind))}")
    return ".".join(["fleeting", *FOLDERS[kind].split("/"), name])


def load(kind: str, name: str) -> ModuleType:
    """Import a variant's module."""
    return load_module(module_name(kind, name))


def load_module(name: str) -> ModuleType:
    """Import a module by its dotted name; nothing else may (see `fleeting.dependencies`)."""
    return importlib.import_module(name)


def load_own(name: str) -> ModuleType:
    """Import a module of the user's, which is installed or below the working directory.

    Raises:
        UserError: there is none.
    """
    if (folder := str(Path.cwd())) not in sys.path:
        # Last, so that no file there takes the place of a library.
        sys.path.append(folder)
    OWN.add(name.partition(".")[0])
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise UserError(
            f"models: there is no module {name!r}, neither installed nor below {folder}; correct "
            "the config, or start Snakemake where it is"
        ) from None


@cache
def constants(kind: str, name: str) -> dict[str, Any]:
    """The constants that a variant's module declares as literals, without importing it.

    Tables and figures declare in this way what they read: Snakemake asks while it parses, when
    pandas and matplotlib must not be imported. Label maps hold nothing else.

    Raises:
        UserError: the module lacks one that all of its kind have.
    """
    path = PACKAGE / FOLDERS[kind] / f"{name}.py"
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(node, ast.Assign):
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        else:
            continue
        if isinstance(target, ast.Name) and node.value is not None:
            try:
                found[target.id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    for constant in DECLARED.get(kind, ()):
        if constant not in found:
            raise UserError(
                f"{path}: declare {constant} as a literal: it is read without importing the module "
                "(docs/extending.md shows one)"
            )
    return found
