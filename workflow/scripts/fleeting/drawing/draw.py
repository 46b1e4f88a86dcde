"""The job that draws any figure."""

from pathlib import Path
from typing import Any

from fleeting import registry
from fleeting.drawing import style


def run(
    *,
    figure: str,
    files: list[str],
    settings: dict[str, Any],
    lr: str | None = None,
    svg: Path,
    png: Path,
) -> None:
    """Draw a figure and save it in both formats.

    Args:
        figure: its module in fleeting/figures.
        files: `name=path` for every file that the module declares under `READS`; a name may come
            several times.
        settings: the values of the config that it declares under `SETTINGS`.
        lr: the learning rate, for a figure that is drawn for each of them.
        svg: receives the figure as vectors.
        png: receives the figure as pixels.
    """
    module = registry.load("figure", figure)
    found: dict[str, list[Path]] = {name: [] for name in module.READS}
    for item in files:
        name, _, path = item.partition("=")
        found[name].append(Path(path))
    style.save(module.draw(found, settings | ({"lr": lr} if lr else {})), svg, png)
