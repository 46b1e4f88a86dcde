"""Images of faces, or outlines in their place where the config's `show_faces` says so."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fleeting import tsv
from fleeting.drawing import style
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.paths import sha256

Row = Mapping[str, str]
#: Larger images are shrunk to this width in pixels: enough for print, small in the report.
WIDEST = 800


def allowed(settings: Mapping[str, Any], database: str, subject: str) -> bool:
    """Whether a pixel of a subject may be shown, be it of a crop or of a whole frame.

    `show_faces` of the settings is `none`, `synthetic` or a list of database/subject; `synthetic`
    lists the databases that this project drew: the value of the same name allows these alone, so
    that it never shows a person, whatever the config points at.
    """
    show_faces = settings["show_faces"]
    if isinstance(show_faces, str):
        return show_faces == "synthetic" and database in settings["synthetic"]
    return f"{database}/{subject}" in show_faces


def read_samples(paths: Iterable[Path]) -> dict[str, Row]:
    """The rows of the databases' annotations (`tsv.ANNOTATIONS`) by sample."""
    return {row["sample"]: row for path in paths for row in tsv.read_rows(path, tsv.ANNOTATIONS)}


def caption(*parts: str) -> str:
    """Who or what an image shows; an image of the whole clip has no phase."""
    return ", ".join(part for part in parts if part)


def read_image(root: Path, relative: str) -> np.ndarray:
    """Read a frame or crop below `root` as RGB, height x width x 3, uint8."""
    try:
        return np.ascontiguousarray(images.read(root, relative)[:, :, ::-1])
    except images.Unusable as error:
        raise UserError(
            f"{root / relative}: the image cannot be shown ({error.detail}); restore the "
            "file, or rerun with `-R crop` if it is a crop"
        ) from None


def read_crop(table: Path, crop: Row) -> np.ndarray:
    """Read a crop and make sure that it is the file that a row of the table of crops describes.

    Args:
        table: faces/{crop}/{database}.tsv; the paths in it start from the results folder.
        crop: its row (`tsv.FACES`).

    Raises:
        UserError: the file has another sha256, or it cannot be read.
    """
    root = table.parents[2]
    pixels = read_image(root, crop["path"])
    if sha256(root / crop["path"]) != crop["sha256"]:
        raise UserError(
            f"{root / crop['path']} is not the crop that its table describes (another sha256); "
            "rerun with `-R crop`"
        )
    return pixels


def draw_image(axes: Axes, pixels: np.ndarray) -> None:
    """Draw an image; the axes' units are its pixels as it was read."""
    height, width = pixels.shape[:2]
    if width > WIDEST:
        size = (WIDEST, max(1, round(height * WIDEST / width)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    axes.imshow(pixels, extent=(0, width, height, 0), interpolation="antialiased")
    fit(axes, width, height)


def draw_outline(axes: Axes, width: int, height: int, text: str) -> None:
    """Draw an image's outline to scale, with no pixel of it."""
    axes.add_patch(
        Rectangle((0, 0), width, height, facecolor="#F2F2F2", edgecolor=style.EDGE, linewidth=0.8)
    )
    axes.text(width / 2, height / 2, text, ha="center", va="center", fontsize=8, color="#444444")
    fit(axes, width, height)


def fit(axes: Axes, width: int, height: int) -> None:
    """No ticks, spines or grid around an image of so many pixels, and square pixels."""
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
