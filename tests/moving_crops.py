"""Crops of a clip by frame, and pictures that move, for the tests of inputs of several frames."""

import cv2
import numpy as np

from fleeting.examples.input import Crop, Example
from fleeting.paths import image_name
from fleeting.tsv import PHASES

SIDE = 64
NAME = "mine/p1/c1/10"


def crops(numbers: dict[str, int], *others: int) -> list[Crop]:
    """Rows of FACES: phases by their frames, then frames without a phase, as inputs get them."""
    rows = [(phase, phase, numbers[phase]) for phase in PHASES if phase in numbers]
    rows += [(f"frame{number}", "", number) for number in sorted(others)]
    return [
        {"image": image_name(NAME, last), "sample": NAME, "phase": phase, "frame": str(number)}
        for last, phase, number in rows
    ]


def picture(moved: float) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: a texture in grey that moved to the right."""
    random = np.random.default_rng(5).random((SIDE, SIDE)).astype(np.float32)
    texture = cv2.GaussianBlur(random, (0, 0), 3)
    texture = 60 + 120 * (texture - texture.min()) / np.ptp(texture)
    matrix = np.float32([[1, 0, moved], [0, 1, 0]])
    grey = cv2.warpAffine(
        *(texture, matrix, (SIDE, SIDE)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.dstack([np.rint(grey).astype(np.uint8)] * 3)


def numbers_of(example: Example) -> list[int]:
    return [int(crop["frame"]) for crop in example.crops]
