"""How every figure looks, and how it is saved: the same bytes for the same data.

The colours are Okabe and Ito's, which colour-blind readers can tell apart; every line has a dash
pattern and a marker of its own, and neighbouring bars differ in lightness or hatch, so that a grey
print can be read as well.
"""

import math
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from fleeting.files import whole

matplotlib.use("Agg")

#: The width of a page's text in inches; a figure of this width is printed at its own size.
PAGE_WIDTH = 6.3
PNG_DOTS_PER_INCH = 200
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#7F7F7F")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
#: Fill and hatch of bars. Neighbours differ in lightness as well as in colour.
BARS = (
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
#: The parts of a split look the same wherever they are drawn.
SPLIT = {"train": 0, "validation": 2, "test": 3}
CHANCE: dict[str, Any] = {
    "color": "#555555",
    "linestyle": (0, (1, 2)),
    "linewidth": 1.2,
    "zorder": 1.5,
}
SETTINGS: Any = {
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
DATABASES = {
    "casme": "CASME",
    "casme2": "CASME II",
    "cas_me2": "CAS(ME)\N{SUPERSCRIPT TWO}",
    "samm": "SAMM",
}


def new_figure(height: float, width: float = PAGE_WIDTH, gap: float = 0.04) -> Figure:
    """An empty figure in the project's style; sizes and the gap between rows in inches."""
    _apply_settings()
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=gap))


def save(figure: Figure, svg: Path, png: Path) -> None:
    """Write both files, whole or not at all, without times or versions in them."""
    _apply_settings()
    for path, metadata in (
        (svg, {"Date": None, "Creator": None}),
        (png, {"Software": None}),
    ):
        with whole(path) as unfinished:
            figure.savefig(
                unfinished,
                format=path.suffix[1:],
                dpi=PNG_DOTS_PER_INCH,
                metadata=metadata,
                facecolor="white",
            )


def _apply_settings() -> None:
    # A user's own matplotlibrc would change the pictures from machine to machine.
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(SETTINGS)


def look(position: int) -> dict[str, Any]:
    """Colour, dash pattern and marker of the line at a position of its legend."""
    return {
        "color": COLOURS[position % len(COLOURS)],
        "linestyle": DASHES[position % len(DASHES)],
        "marker": MARKERS[position % len(MARKERS)],
    }


def fill(position: int) -> dict[str, Any]:
    """Colour, hatch and edge of the bars at a position of their legend."""
    colour, hatch = BARS[position % len(BARS)]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "#222222", "linewidth": 0.6}


def database_title(database: str) -> str:
    """A database's name as its authors write it."""
    return DATABASES.get(database, database)


def choice_title(name: str) -> str:
    """What chose a configuration of the grid, as a title."""
    return {"paper": "paper's choice", "validation": "validation's choice"}.get(name, name)


def unit(input_kind: str) -> str:
    """What the examples of an input are called: with the input `image` each is one picture."""
    return "images" if input_kind == "image" else "examples"


def chance_label(classes: int) -> str:
    """What the line at chance is called."""
    return f"chance: 1/{classes} = {1 / classes:.2f}"


def epochs_axis(axes: Axes, epochs: int) -> None:
    """Label the x axis in epochs, from the first to the last one."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(
        MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10], min_n_ticks=1)
    )
    room = max(0.5, 0.02 * epochs)
    axes.set_xlim(1 - room, epochs + room)


def counts_axis(axes: Axes, unit: str) -> None:
    """Label the x axis of horizontal bars in whole numbers; the bars' names need no grid."""
    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)


def marked(position: int, epochs: int) -> tuple[int, int]:
    """Which points carry a marker: about ten a line, and not at the same epochs in every line."""
    step = max(1, math.ceil(epochs / 10))
    return (position * step // 5) % step, step


def legend_beside(axes: Axes, title: str) -> None:
    """Put the legend to the right of the axes, where it hides no line."""
    legend = axes.legend(
        title=title, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=3.4
    )
    legend.set_alignment("left")


def legend_below(figure: Figure, axes: Axes, side: str, columns: int) -> None:
    """Put the legend of some axes under the figure: `left`, `center` or `right`."""
    handles, labels = axes.get_legend_handles_labels()
    place: Any = f"outside lower {side}"
    if handles:
        figure.legend(handles, labels, loc=place, ncols=columns)
