"""A picture in a figure, or the drawing that stands in where a face may not be shown."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fleeting.errors import UserError
from fleeting.faces import images

#: Larger pictures are shrunk to this width in pixels: enough for print, small in the report.
WIDEST = 800
BLANK: dict[str, Any] = {"facecolor": "#F2F2F2", "edgecolor": "#222222", "linewidth": 0.8}


def read(root: Path, relative: str) -> np.ndarray:
    """Read a frame or crop below `root` as RGB, height x width x 3, uint8."""
    try:
        return np.ascontiguousarray(images.read(root, relative)[:, :, ::-1])
    except images.Unusable as error:
        raise UserError(
            f"{root / relative}: the picture cannot be shown ({error.detail}); restore the file, "
            "or run the stage that wrote it again"
        ) from None


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
