"""Figure 5 of the paper: how the face is cut from a frame, for one example a database."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import Normal, Stroke

from fleeting.figures import pictures, style
from fleeting.figures.examples import Example

#: A crop that a database's provider made is used whole; nothing was detected in it.
PROVIDER = "provider"
BOX = "#D55E00"


def draw(examples: Sequence[Example], results: Path) -> Figure:
    """Draw each example's frame with the box that was cut, and the crop beside it.

    Where a face may not be shown, outlines to scale and measures stand in: the figure then holds
    no pixel of the frame or of the crop.
    """
    rows = max(1, math.ceil(len(examples) / 2))
    figure = style.new_figure(height=0.15 + 2.2 * rows, gap=0.1)
    panels = figure.subplots(rows, 4, squeeze=False, width_ratios=(1.75, 1, 1.75, 1))
    for index, example in enumerate(examples):
        row, column = divmod(index, 2)
        _example(figure, panels[row, 2 * column], panels[row, 2 * column + 1], example, results)
    for panel in panels.ravel()[2 * len(examples) :]:
        panel.set_axis_off()
    if not examples:
        panels[0, 0].text(0, 0.5, "No database has a crop.", transform=panels[0, 0].transAxes)
    return figure


def _example(figure: Figure, left: Axes, right: Axes, example: Example, results: Path) -> None:
    frame = pictures.read(example.root, example.frame)
    crop = pictures.read(results, example.crop)
    (height, width), (crop_height, crop_width) = frame.shape[:2], crop.shape[:2]
    if example.shown:
        pictures.show(left, frame)
        pictures.show(right, crop)
    else:
        pictures.stand_in(left, width, height, "")
        pictures.stand_in(right, crop_width, crop_height, "face\nnot shown")
    x0, y0, x1, y1 = example.box
    halo = [Stroke(linewidth=2.6, foreground="white"), Normal()]
    outline = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=BOX, linewidth=1.4)
    outline.set_path_effects(halo)
    left.add_patch(outline)
    # A box may leave the frame: the part beyond is drawn as well.
    left.set_xlim(min(0, x0) - 0.01 * width, max(width, x1) + 0.01 * width)
    left.set_ylim(max(height, y1) + 0.01 * width, min(0, y0) - 0.01 * width)
    arrow = ConnectionPatch(
        xyA=(x1, (y0 + y1) / 2),
        coordsA=left.transData,
        xyB=(0, crop_height / 2),
        coordsB=right.transData,
        arrowstyle="-|>",
        color=BOX,
        linewidth=1.1,
        shrinkB=2,
    )
    arrow.set_in_layout(False)
    figure.add_artist(arrow)

    left.set_anchor("NW")
    right.set_anchor("N")
    database, subject, clip, _, phase = example.image.split("/")
    left.set_title(style.database_title(database), loc="left", fontweight="bold")
    cut = f"cut {x1 - x0:.0f} × {y1 - y0:.0f} px"
    if example.detector == PROVIDER:
        cut = "provider's crop, used whole"
    elif not math.isnan(example.confidence):
        cut += f", confidence {example.confidence:.2f}"
    lines = (f"{subject}, {clip}, {phase}", f"frame {width} × {height} px", cut)
    left.set_xlabel("\n".join(lines), fontsize=8, loc="left")
    right.set_xlabel(f"{crop_width} × {crop_height} px", fontsize=8)
