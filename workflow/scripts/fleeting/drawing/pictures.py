"""A picture in a figure, or the drawing that stands in where a face may not be shown."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.paths import sha256

#: Larger pictures are shrunk to this width in pixels: enough for print, small in the report.
WIDEST = 800
BLANK: dict[str, Any] = {"facecolor": "#F2F2F2", "edgecolor": "#222222", "linewidth": 0.8}


def read(root: Path, relative: str) -> np.ndarray:
    """Read a frame or crop below `root` as RGB, height x width x 3, uint8."""
    try:
        return np.ascontiguousarray(images.read(root, relative)[:, :, ::-1])
    except images.Unusable as error:
        raise UserError(
            f"{root / relative}: the picture cannot be shown ({error.detail}); restore the "
            "file, or rerun with `-R crop` if it is a crop"
        ) from None


def results_folder(faces: Path) -> Path:
    """The folder that the paths in a table of crops (faces/{crop}/{database}.tsv) start from."""
    return faces.parents[2]


def read_crop(root: Path, relative: str, digest: str) -> np.ndarray:
    """Read a crop and make sure that it is the file that the table of crops describes.

    Raises:
        UserError: its bytes do not have the sha256 `digest`, or it cannot be read.
    """
    pixels = read(root, relative)
    if sha256(root / relative) != digest:
        raise UserError(
            f"{root / relative} is not the crop that its table describes (another sha256); rerun "
            "with `-R crop`"
        )
    return pixels


def show(axes: Axes, pixels: np.ndarray) -> None:
    """Draw a picture; the axes' units are the pixels of the picture as it was read."""
    height, width = pixels.shape[:2]
    if width > WIDEST:
        size = (WIDEST, max(1, round(height * WIDEST / width)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    axes.imshow(pixels, extent=(0, width, height, 0), interpolation="antialiased")
    bare(axes, width, height)


def stand_in(axes: Axes, width: int, height: int, text: str) -> None:
    """Draw a picture's outline to scale, with no pixel of it."""
    axes.add_patch(Rectangle((0, 0), width, height, **BLANK))
    axes.text(width / 2, height / 2, text, ha="center", va="center", fontsize=8, color="#444444")
    bare(axes, width, height)


def bare(axes: Axes, width: int, height: int) -> None:
    """No ticks, spines or grid around a picture, and square pixels."""
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
