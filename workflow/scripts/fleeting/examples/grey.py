"""Crops in grey."""

import numpy as np
from numpy.typing import NDArray

from fleeting.examples.input import Picture


def grey(picture: Picture) -> NDArray[np.uint8]:
    """The grey values (H, W) of a picture: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).

    As OpenCV rounds it; a picture of three equal channels keeps its values.
    """
    import cv2

    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
