"""Frames and crops in a colour that no figure has, and whether a figure holds a pixel of them."""

from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from fleeting.drawing import style

#: No colour of the figures' own: wherever it is found, a pixel of a frame or crop was shown.
SKIN = (200, 30, 220)


def paint(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), SKIN[::-1], np.uint8))


def shows_skin(figure: Figure, folder: Path) -> bool:
    """Whether the saved figure holds a pixel of a frame or crop."""
    style.save(figure, folder / "figure.svg", folder / "figure.png")
    pixels = cv2.imread(str(folder / "figure.png"))
    found = bool((np.abs(pixels.astype(int) - SKIN[::-1]).max(axis=2) < 12).any())
    assert ("<image" in (folder / "figure.svg").read_text()) == found
    return found
