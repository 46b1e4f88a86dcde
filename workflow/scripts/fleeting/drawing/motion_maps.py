"""The motion of clips as it is drawn: as colours, as arrows, and its strain.

The colour of a direction is one of four that colour-blind readers can tell apart, or between two of
them; the smaller a motion is, the paler.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.drawing import show_faces, style
from fleeting.errors import UserError
from fleeting.examples import arrays
from fleeting.motion import MOTION, motion_channels
from fleeting.splits import gate as gates

Row = Mapping[str, str]
Array = NDArray[np.floating[Any]]
#: Of motion to the right, down, to the left and up: at least 31 apart in CIELAB, also as readers
#: without one of the three kinds of cones see them (Machado et al., IEEE TVCG 2009).
DIRECTIONS = ("#332288", "#D55E00", "#F5C710", "#009E73")
STRAIN = "cividis"
ARROWS = "#D55E00"
#: What lengths are in where motion is measured in them, for reading.
EYE_DISTANCES = "eye distances"
#: How many clips are read at a time.
BLOCK = 64
#: How many arrows are drawn along the longer side of a picture.
ARROWS_A_SIDE = 12
#: The shortest arrow that is drawn, as a share of the way from one arrow to the next.
SHORTEST = 0.15


def read_clips(split: Path) -> list[Row]:
    """The examples of an experiment, each once: rows of `tsv.SPLIT`, sorted by example."""
    rows = {row["example"]: row for row in tsv.read_rows(split, tsv.SPLIT)}
    return [rows[name] for name in sorted(rows)]


def read(
    tables: Sequence[Path], gate: Path, input_kind: str, clips: Sequence[Row]
) -> Iterator[tuple[Row, Array]]:
    """Each clip with its motion, (H, W, 3): to the right, down, and strain, see `unit`.

    Args:
        tables: the tables of the examples of all databases, their arrays beside them.
        gate: split.json.
        input_kind: the kind of the experiment's input.
        clips: rows of `tsv.SPLIT`.

    Raises:
        UserError: the experiment's input holds no motion.
    """
    stated = gates.read(gate).input
    places = motion_channels(stated.channels)
    if not places:
        raise UserError(
            f"{gate}: the input's channels are {', '.join(stated.channels)}, but this figure shows "
            f"motion ({', '.join(MOTION)}); ask for it of an experiment on flow"
        )
    # What is computed here is stored as it is measured; its unit only scales it for the networks.
    scale = stated.unit if input_kind == "image" else 1
    for start in range(0, len(clips), BLOCK):
        block = clips[start : start + BLOCK]
        stored = arrays.load(tables, [clip["example"] for clip in block])
        for clip, array in zip(block, stored, strict=True):
            yield clip, (array[..., places].astype(np.float32) - stated.zero) / scale


def unit(block: Mapping[str, Any]) -> str:
    """What lengths of motion are in, by the config's block of the input that holds it.

    Pixels of the crop, distances of the eyes in it, or what ready pictures call 1.
    """
    if block["kind"] == "image":
        return "units"
    return EYE_DISTANCES if block.get("measured_in") == "eye_distances" else "px"


def size(motion: Array) -> float:
    """How far a clip moves: the 95th percentile of the lengths of its motion (H, W, 3)."""
    return float(np.percentile(lengths(motion), 95))


def lengths(motion: Array) -> Array:
    """How far each pixel moves, (H, W)."""
    return np.asarray(np.hypot(motion[..., 0], motion[..., 1]))


def rounded_up(value: float) -> float:
    """A number above 0 of at most two digits that is not smaller, for the end of a scale."""
    if value <= 0:
        return 1.0
    digits = 1 - math.floor(math.log10(value))
    # Rounded first: motions are float32, in which 0.05 is a little more.
    return math.ceil(round(value * 10**digits, 4)) / 10**digits


def colours(motion: Array, largest: float) -> NDArray[np.uint8]:
    """A motion (H, W, 2 or more) as red, green and blue (H, W, 3), uint8.

    The hue is the direction; white does not move, and what moves `largest` or farther has the full
    colour of `DIRECTIONS`, or between two of them the one mixed in the proportion of the angle.
    """
    anchors = np.array([to_rgb(colour) for colour in (*DIRECTIONS, DIRECTIONS[0])])
    # Clockwise from the right, since vertical motion is down.
    quarters = np.arctan2(motion[..., 1], motion[..., 0]) % (2 * np.pi) / (np.pi / 2)
    full = np.stack(
        [np.interp(quarters, range(len(anchors)), anchors[:, band]) for band in range(3)], axis=-1
    )
    share = np.minimum(lengths(motion) / largest, 1)[..., None]
    return np.asarray((255 * (1 - share * (1 - full))).round(), np.uint8)


def draw_map(axes: Axes, values: NDArray[Any], extent: tuple[int, int], **look: Any) -> Any:
    """Draw values (H, W) or colours (H, W, 3) over a picture of so many pixels, wide and high."""
    width, height = extent
    image = axes.imshow(values, extent=(0, width, height, 0), interpolation="nearest", **look)
    show_faces.fit(axes, width, height)
    return image


def arrows(motion: Array, extent: tuple[int, int]) -> Array:
    """The means of a motion (H, W, 3) around the starts of arrows, (rows, columns, 2).

    `extent` is the width and height of the picture that the arrows are drawn on, in its pixels.
    """
    columns, rows = (max(1, round(side * ARROWS_A_SIDE / max(extent))) for side in extent)
    found = cv2.resize(
        np.ascontiguousarray(motion[..., :2]), (columns, rows), interpolation=cv2.INTER_AREA
    )
    return np.asarray(found)


def enlargement(clips: Sequence[tuple[Array, tuple[int, int]]]) -> float:
    """How many times as long arrows are drawn: 1, 2 or 5 times a power of ten.

    Of all arrows of some clips, motions with their extents, hardly any is then longer than two and
    a half times the way to the next.
    """
    ways = [
        lengths(arrows(motion, extent)).ravel() * ARROWS_A_SIDE / max(extent)
        for motion, extent in clips
    ]
    longest = float(np.percentile(np.concatenate(ways), 98))
    if longest <= 0:
        return 1.0
    most = 2.5 / longest
    power = 10.0 ** math.floor(math.log10(most))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most)


def draw_arrows(axes: Axes, motion: Array, extent: tuple[int, int], enlarged: float) -> None:
    """Draw where the parts of a motion (H, W, 3) go, over a picture of so many pixels.

    Arrows are `enlarged` times as long as what they show; the shortest are left out.
    """
    found = arrows(motion, extent)
    (rows, columns), (width, height) = found.shape[:2], extent
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    drawn = lengths(found) * enlarged >= SHORTEST * max(extent) / ARROWS_A_SIDE
    axes.quiver(
        *(place[drawn] for place in np.meshgrid(x, y)),
        *(found[drawn].T * enlarged),
        angles="xy",
        scale_units="xy",
        scale=1,
        color=ARROWS,
        width=0.013,
        headwidth=3.2,
        headlength=3.2,
        headaxislength=2.9,
        minlength=0,
    )
    show_faces.fit(axes, width, height)


def draw_wheel(axes: Axes, largest: float, unit_of_length: str) -> None:
    """Draw the colour of each direction and length, as far as `largest`."""
    down, right = np.mgrid[-1:1:201j, -1:1:201j]
    wheel = colours(np.dstack([right, down]), 1)
    wheel[np.hypot(right, down) > 1] = 255
    draw_map(axes, wheel, (2, 2))
    look: dict[str, Any] = {"fontsize": 7, "color": style.EDGE}
    axes.text(2.1, 1, "right", ha="left", va="center", **look)
    axes.text(-0.1, 1, "left", ha="right", va="center", **look)
    axes.text(1, -0.1, "up", ha="center", va="bottom", **look)
    axes.text(1, 2.1, "down", ha="center", va="top", **look)
    axes.set_title(f"rim: {largest:g} {unit_of_length}", fontsize=8, pad=12)
