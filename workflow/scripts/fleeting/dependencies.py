"""Which project files a job needs, read from its imports.

Snakemake sees neither a script called from `shell:` nor the modules that it imports, unless they
are inputs. This finder lists them, so that no list is kept by hand. It fails on an import that it
cannot resolve: a list that silently lacks a module would leave stale results behind.
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
#: Imports from outside the project: the names under which the pinned libraries are imported.
LIBRARIES = frozenset(
    "cv2 matplotlib numpy openpyxl pandas pydantic pydantic_core seaborn sklearn torch "
    "torchvision xlrd xlwt yaml".split()
)
#: Functions that import what a text says, which cannot be followed.
BY_NAME = ("import_module", "__import__")


class UnresolvedImport(Exception):
    """An import that is neither the project's, nor Python's, nor a pinned library's."""


def prefer_this_python() -> None:
    """Let the `python` that rules call be the one that runs Snakemake, activated or not.

    A conda environment of a rule still goes before it.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])


def files(*modules: str) -> list[Path]:
    """The runner, the given modules and all project modules that these import; the runner first.

    Args:
        modules: dotted names: the job's module, and the variants that it loads by name through
            `fleeting.registry`.
    """
    found: set[Path] = set()
    waiting = [RUNNER, *(_project_file(name, RUNNER) for name in modules)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(imported(path))
    return [RUNNER, *sorted(found - {RUNNER})]


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """The project files that one file imports itself."""
    found = []
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    # Every call of Snakemake does this: expressions are looked into only where it matters.
    for node in ast.walk(tree) if any(name in text for name in BY_NAME) else _statements(tree):
        if isinstance(node, ast.Import):
            found += [_resolve(alias.name, path) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UnresolvedImport(f"{path}, line {node.lineno}: write the import in full")
            module = node.module or ""
            if _is_package(module):
                found += [_project_file(f"{module}.{alias.name}", path) for alias in node.names]
            else:
                found.append(_resolve(module, path))
        elif isinstance(node, ast.Call) and path.name != "registry.py":
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in BY_NAME:
                raise UnresolvedImport(f"{path}, line {node.lineno}: use fleeting.registry.load")
    return tuple(file for file in found if file is not None)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node, which are all that can import."""
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        for statement in getattr(node, name, ()):
            yield statement
            yield from _statements(statement)


def _resolve(module: str, importer: Path) -> Path | None:
    top = module.split(".")[0]
    if top == PACKAGE.name:
        return _project_file(module, importer)
    if top in sys.stdlib_module_names or top in LIBRARIES:
        return None
    raise UnresolvedImport(f"{importer}: cannot resolve the import of {module!r}")


def _is_package(module: str) -> bool:
    return module.split(".")[0] == PACKAGE.name and SCRIPTS.joinpath(*module.split(".")).is_dir()


def _project_file(module: str, importer: Path) -> Path:
    path = SCRIPTS.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise UnresolvedImport(f"{importer}: cannot resolve the import of {module!r}")
    return path
