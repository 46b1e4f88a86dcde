"""The job that writes a table: its module makes it, from the files that it declares."""

from pathlib import Path
from typing import Any

from fleeting import registry, tsv
from fleeting.evaluation import render


def run(*, table: str, files: list[str], settings: dict[str, Any], output: Path) -> None:
    """Write one table and its page.

    Args:
        table: the table's module in `fleeting/tables`.
        files: `name=path` for every file that the module's READS names; the paths of a name that
            stands for several files follow each other.
        settings: the values of the config that its SETTINGS name, by their dotted paths.
        output: the .tsv; the page goes beside it as .html, and in the FORMATS of the module.
    """
    module = registry.load("table", table)
    frame, page = module.make(by_name(files), settings)
    tsv.write(frame, output, {})
    render.write(page, output, ["html", *getattr(module, "FORMATS", ())])


def by_name(files: list[str]) -> dict[str, list[Path]]:
    """`name=path` items as lists of paths by name, in their order."""
    found: dict[str, list[Path]] = {}
    for item in files:
        name, _, path = item.partition("=")
        found.setdefault(name, []).append(Path(path))
    return found
