"""The project files that a job needs, found by its imports.

Snakemake sees neither a script called from `shell:` nor the modules that it imports, unless they
are inputs. This finder lists them, so that no list is kept by hand. Only variants are imported by
their names, through `fleeting.registry`; a job's rule names them.
"""

import ast
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
SCRIPTS = PACKAGE.parent
RUNNER = SCRIPTS / "job.py"
REGISTRY = PACKAGE / "registry.py"


class UnresolvedImport(Exception):
    """An import from this project of a module that does not exist, or a relative import."""


def prefer_this_python() -> None:
    """Let the `python` that rules call be the one that runs Snakemake, activated or not.

    A conda environment of a rule still goes before it.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def files(*modules: str) -> list[Path]:
    """The runner, the given modules and all project modules that these import; the runner first.

    Args:
        modules: dotted names: the job's module, and those that it loads by name through
            `fleeting.registry`: variants, and modules of the user's.

    Raises:
        UnresolvedImport: a list that silently lacked a module would leave stale results behind.
    """
    own = [name for name in modules if _is_own(name.split(".")[0])]
    found = {path for name in modules if name not in own for path in users_files(name)}
    waiting = [RUNNER, *(_file(name, RUNNER) for name in own)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(imported(path))
    return [RUNNER, *sorted(found - {RUNNER})]


def users_files(module: str) -> list[Path]:
    """The files of a module of the user's below the working directory: all of its package.

    Its imports are not followed: what it shares with others belongs into its package. None if it is
    installed, as a library is.
    """
    package = Path.cwd() / module.split(".")[0]
    if package.is_dir():
        return sorted(package.rglob("*.py"))
    file = package.with_suffix(".py")
    return [file] if file.is_file() else []


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """The project files that one file imports itself."""
    names = list(_imported_names(path))
    if "importlib" in names and path != REGISTRY:
        raise UnresolvedImport(f"{path}: import by name through fleeting.registry only")
    own = (name for name in names if _is_own(name.split(".")[0]))
    return tuple(_file(name, path) for name in own)


@cache
def _is_own(name: str) -> bool:
    """Whether the top of a dotted name is this project's, or a file beside it."""
    return (SCRIPTS / name).is_dir() or (SCRIPTS / f"{name}.py").is_file()


def _imported_names(path: Path) -> Iterator[str]:
    """The dotted names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise UnresolvedImport(f"{path}, line {node.lineno}: write the import in full")
            if SCRIPTS.joinpath(*node.module.split(".")).is_dir():
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _file(module: str, importer: Path) -> Path:
    path = SCRIPTS.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise UnresolvedImport(f"{importer}: cannot resolve the import of {module!r}")
    return path
