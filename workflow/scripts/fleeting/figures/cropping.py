"""Figure 5 of the paper: how the face is cut from a frame, for one example per database."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import Normal, Stroke

from fleeting import tsv
from fleeting.drawing import pictures, samples, style
from fleeting.drawing.permission import Permission
from fleeting.drawing.samples import Sample
from fleeting.evaluation import results

READS = {
    "annotations": "annotations/{database}.tsv",
    "faces": "faces/{crop}/{database}.tsv",
}
SETTINGS = ("databases", "frames_roots", "show_faces", "synthetic")
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


@dataclass(frozen=True)
class Example:
    """One frame and the crop cut from it; the row is one of `tsv.FACES`.

    `root` is the folder that the path of the frame is relative to.
    """

    row: Mapping[Any, Any]
    sample: Sample
    root: Path
    shown: bool


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw an example of each database that has crops."""
    permission = Permission.of(settings)
    known = samples.read(files["annotations"])
    examples = []
    for database, path in zip(settings["databases"], files["faces"], strict=True):
        faces = results.read(path, tsv.FACES)
        if not faces.empty:
            root = Path(settings["frames_roots"][database])
            examples.append(choose(faces, known, root, permission))
    return plot(examples, pictures.results_folder(files["faces"][0]))


def choose(
    faces: pd.DataFrame, known: Mapping[str, Sample], root: Path, permission: Permission
) -> Example:
    """The image that stands for a database.

    Images that may be shown come first, then apex frames, then plainly detected faces, then the
    first by name.

    Args:
        faces: the database's crops (`tsv.FACES`), at least one.
        known: the database's samples by name.
        root: the folder that the paths of the database's frames are relative to.
        permission: whose faces may be shown.
    """
    owners = [known[name] for name in faces["sample"]]
    ranked = faces.assign(
        hidden=[not permission.allows(owner.database, owner.subject) for owner in owners],
        other_phase=faces["phase"] != "apex",
        other_outcome=faces["outcome"] != "face",
    ).sort_values(["hidden", "other_phase", "other_outcome", "image"])
    row = ranked.iloc[0].to_dict()
    return Example(row, known[row["sample"]], root, shown=not row["hidden"])


def plot(examples: Sequence[Example], crops: Path) -> Figure:
    """Draw each example's frame with the box that was cut, and the crop beside it.

    Where a face may not be shown, outlines to scale and measures stand in: the figure then holds
    no pixel of the frame or of the crop.

    Args:
        examples: one per database.
        crops: the folder that the paths of the crops are relative to.
    """
    rows = max(1, math.ceil(len(examples) / 2))
    figure = style.new_figure(height=0.15 + 2.2 * rows, gap=0.1)
    panels = figure.subplots(rows, 4, squeeze=False, width_ratios=(1.75, 1, 1.75, 1))
    for index, example in enumerate(examples):
        row, column = divmod(index, 2)
        _example(figure, panels[row, 2 * column], panels[row, 2 * column + 1], example, crops)
    for panel in panels.ravel()[2 * len(examples) :]:
        panel.set_axis_off()
    if not examples:
        panels[0, 0].text(0, 0.5, "No database has a crop.", transform=panels[0, 0].transAxes)
    return figure


def _example(figure: Figure, left: Axes, right: Axes, example: Example, crops: Path) -> None:
    row = example.row
    frame = pictures.read(example.root, row["file"])
    crop = pictures.read_crop(crops, row["path"], row["sha256"])
    (height, width), (crop_height, crop_width) = frame.shape[:2], crop.shape[:2]
    if example.shown:
        pictures.show(left, frame)
        pictures.show(right, crop)
    else:
        pictures.stand_in(left, width, height, "")
        pictures.stand_in(right, crop_width, crop_height, "face\nnot shown")
    x0, y0, x1, y1 = row["x0"], row["y0"], row["x1"], row["y1"]
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
    left.set_title(example.sample.database_title, loc="left", fontweight="bold")
    cut = f"cut {x1 - x0:.0f} × {y1 - y0:.0f} px"
    if row["detector"] in UNDETECTED:
        cut = UNDETECTED[row["detector"]]
    elif not math.isnan(row["confidence"]):
        cut += f", confidence {row['confidence']:.2f}"
    lines = (example.sample.caption(row["phase"]), f"frame {width} × {height} px", cut)
    left.set_xlabel("\n".join(lines), fontsize=8, loc="left")
    right.set_xlabel(f"{crop_width} × {crop_height} px", fontsize=8)
