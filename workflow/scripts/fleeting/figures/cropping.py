"""Figure 5 of the paper: how the face is cut from a frame, for one example per database."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import Normal, Stroke

from fleeting import tsv
from fleeting.drawing import show_faces, style
from fleeting.drawing.show_faces import Row

READS = {
    "annotations": "annotations/{database}.tsv",
    "faces": "faces/{crop}/{database}.tsv",
}
SETTINGS = ("frames_roots", "show_faces", "synthetic")
CAPTION = (
    'Figure 5 of the paper ("Image cropping step"), for one image of each database. The orange '
    "rectangle is what is cut from the frame: the box that the detector found with its margins, or "
    "the whole frame where a provider's crop is kept or nothing is detected. It is then resized as "
    "the config says. Frames are drawn to scale. Faces are shown as ``show_faces`` in the config "
    "allows: of nobody, of synthetic databases (whose faces belong to nobody), or of the subjects "
    "listed there; outlines stand in for all others, without a pixel of the frame. Nothing is "
    "estimated here: there are no repeats."
)
#: What is said of a crop in which nothing was detected, by the `detector` of its row.
UNDETECTED = {"provider": "provider's crop, used whole", "none": "used whole"}
BOX = "#D55E00"


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw a frame of each database that has crops, with the box that was cut, beside its crop.

    Where a face may not be shown, outlines to scale and measures stand in: the figure then holds
    no pixel of the frame or of the crop.
    """
    samples = show_faces.read_samples(files["annotations"])

    def shown(crop: Row) -> bool:
        sample = samples[crop["sample"]]
        return show_faces.allowed(settings, sample["database"], sample["subject"])

    def rank(crop: Row) -> tuple[object, ...]:
        """What may be shown, then apex, then phases, then plainly detected faces, then by name."""
        phase, outcome = crop["phase"], crop["outcome"]
        return not shown(crop), phase != "apex", not phase, outcome != "face", crop["image"]

    examples = [
        (table, min(crops, key=rank))
        for table in files["faces"]
        if (crops := tsv.read_rows(table, tsv.FACES))
    ]
    rows = max(1, math.ceil(len(examples) / 2))
    figure = style.new_figure(height=0.15 + 2.2 * rows, gap=0.1)
    panels = figure.subplots(rows, 4, squeeze=False, width_ratios=(1.75, 1, 1.75, 1)).ravel()
    for (table, crop), left, right in zip(examples, panels[::2], panels[1::2], strict=False):
        sample = samples[crop["sample"]]
        frames = Path(settings["frames_roots"][sample["database"]])
        _draw_example(left, right, frames, table, crop, sample, shown(crop))
    for panel in panels[2 * len(examples) :]:
        panel.set_axis_off()
    if not examples:
        panels[0].text(0, 0.5, "No database has a crop.", transform=panels[0].transAxes)
    return figure


def _draw_example(
    left: Axes, right: Axes, frames: Path, table: Path, crop: Row, sample: Row, shown: bool
) -> None:
    """Draw a frame of the folder `frames` and a crop, which is a row of the table of crops."""
    frame = show_faces.read_image(frames, crop["file"])
    face = show_faces.read_crop(table, crop)
    (height, width), (face_height, face_width) = frame.shape[:2], face.shape[:2]
    if shown:
        show_faces.draw_image(left, frame)
        show_faces.draw_image(right, face)
    else:
        show_faces.draw_outline(left, width, height, "")
        show_faces.draw_outline(right, face_width, face_height, "face\nnot shown")
    x0, y0, x1, y1 = (float(crop[side]) for side in ("x0", "y0", "x1", "y1"))
    box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=BOX, linewidth=1.4)
    box.set_path_effects([Stroke(linewidth=2.6, foreground="white"), Normal()])
    left.add_patch(box)
    # A box may leave the frame: the part beyond is drawn as well.
    left.set_xlim(min(0, x0) - 0.01 * width, max(width, x1) + 0.01 * width)
    left.set_ylim(max(height, y1) + 0.01 * width, min(0, y0) - 0.01 * width)
    arrow = ConnectionPatch(
        xyA=(x1, (y0 + y1) / 2),
        coordsA=left.transData,
        xyB=(0, face_height / 2),
        coordsB=right.transData,
        arrowstyle="-|>",
        color=BOX,
        linewidth=1.1,
        shrinkB=2,
    )
    arrow.set_in_layout(False)
    left.figure.add_artist(arrow)

    left.set_anchor("NW")
    right.set_anchor("N")
    left.set_title(style.database_title(sample["database"]), loc="left", fontweight="bold")
    cut = f"cut {x1 - x0:.0f} × {y1 - y0:.0f} px"
    if crop["detector"] in UNDETECTED:
        cut = UNDETECTED[crop["detector"]]
    elif crop["confidence"]:
        cut += f", confidence {float(crop['confidence']):.2f}"
    which = show_faces.caption(sample["subject"], sample["clip"], crop["phase"])
    lines = (which, f"frame {width} × {height} px", cut)
    left.set_xlabel("\n".join(lines), fontsize=8, loc="left")
    right.set_xlabel(f"{face_width} × {face_height} px", fontsize=8)
