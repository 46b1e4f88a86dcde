"""How every figure looks, and how it is saved: the same bytes for the same data.

The colours are Okabe and Ito's, which colour-blind readers can tell apart; every line has a dash
pattern and a marker of its own, and neighbouring bars differ in lightness or hatch, so that a grey
print can be read as well.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from fleeting.files import whole

matplotlib.use("Agg")

#: The width of a page's text in inches; a figure of this width is printed at its own size.
PAGE_WIDTH = 6.3
PNG_DOTS_PER_INCH = 200
LINE_COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#000000", "#56B4E9", "#E69F00", "#7F7F7F"),
)
LINE_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 2)))
LINE_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
#: Colour and hatch. Neighbours differ in lightness as well as in colour.
BAR_FILLS = (
    ("#0072B2", ""),
    ("#A9D2EC", ""),
    ("#F5C710", "////"),
    ("#FFFFFF", "...."),
    ("#D55E00", ""),
    ("#F3D3C0", ""),
    ("#404040", ""),
    ("#D9D9D9", "\\\\\\\\"),
    ("#E4E4E4", ""),
)
#: Of bars, outlines and arrows.
EDGE = "#222222"
CHANCE: dict[str, Any] = {
    "color": "#555555",
    "linestyle": (0, (1, 2)),
    "linewidth": 1.2,
    "zorder": 1.5,
}
MATPLOTLIB_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "figure.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "text.usetex": False,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "fleeting",
}
DATABASE_TITLES = {
    "casme": "CASME",
    "casme2": "CASME II",
    "cas_me2": "CAS(ME)\N{SUPERSCRIPT TWO}",
    "samm": "SAMM",
}


def new_figure(height: float, width: float = PAGE_WIDTH, gap: float = 0.04) -> Figure:
    """An empty figure in the project's style; sizes and the gap between rows in inches."""
    _apply_settings()
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=gap))


def rows_of(figure: Figure, heights: Sequence[float]) -> list[SubFigure]:
    """Divide a figure into parts below each other, of these heights in inches."""
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
    return list(np.ravel(parts))


def save(figure: Figure, svg: Path, png: Path) -> None:
    """Write both files, whole or not at all, without times or versions in them."""
    _apply_settings()
    for path, metadata in ((svg, {"Date": None, "Creator": None}), (png, {"Software": None})):
        with whole(path) as unfinished:
            figure.savefig(
                unfinished,
                format=path.suffix[1:],
                dpi=PNG_DOTS_PER_INCH,
                metadata=metadata,
                facecolor="white",
            )


def _apply_settings() -> None:
    # A user's own matplotlibrc would change figures from machine to machine.
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(MATPLOTLIB_SETTINGS)


def line_style(position: int) -> dict[str, Any]:
    """Colour, dash pattern and marker of the line at a position of its legend."""
    return {
        "color": LINE_COLOURS[position % len(LINE_COLOURS)],
        "linestyle": LINE_DASHES[position % len(LINE_DASHES)],
        "marker": LINE_MARKERS[position % len(LINE_MARKERS)],
    }


def bar_style(position: int) -> dict[str, Any]:
    """Colour, hatch and edge of the bars at a position of their legend."""
    colour, hatch = BAR_FILLS[position % len(BAR_FILLS)]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": EDGE, "linewidth": 0.6}


def database_title(database: str) -> str:
    """A database's name as its authors write it."""
    return DATABASE_TITLES.get(database, database)


def wrapped_name(name: str, longest: int) -> str:
    """An experiment's name on lines of so many characters, broken after an underscore."""
    return fill(name.replace("_", "_ "), longest).replace("_ ", "_")


def unit(input_kind: str) -> str:
    """What the examples of an input are called: with the input `image` each is one image."""
    return "images" if input_kind == "image" else "examples"


def repeats(counts: Iterable[int]) -> str:
    """`1 repeat`, `10 repeats` or, of different counts, `8 to 10 repeats`."""
    low, *_, high = sorted([*counts] * 2)
    if low != high:
        return f"{low} to {high} repeats"
    return "1 repeat" if low == 1 else f"{low} repeats"


def counted(count: int, name: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} {name}{'s' * (count != 1)}"


def mean_of(count: int) -> str:
    """`1 repeat` or `mean of 10 repeats`."""
    return repeats([count]) if count == 1 else f"mean of {repeats([count])}"


def legend_below(figure: Figure, axes: Axes, side: str, columns: int) -> None:
    """Put the legend of some axes under the figure: `left`, `center` or `right`."""
    handles, labels = axes.get_legend_handles_labels()
    location: Any = f"outside lower {side}"
    if handles:
        figure.legend(handles, labels, loc=location, ncols=columns)
