"""Difference hashes of pictures: alike for pictures that look alike."""

import cv2
import numpy as np

from fleeting.examples.input import Picture

#: Columns and rows of the reduced picture: each row has eight pairs of neighbours.
WIDTH, HEIGHT = 9, 8


def difference_hash(picture: Picture) -> str:
    """The hash of a picture as 16 hexadecimal digits, row by row.

    Light and contrast hardly change it; a face that turns or moves does. (The method is known as
    dHash, after N. Krawetz, "Kind of like that", hackerfactor.com, 2013.)

    Args:
        picture: (H, W, 3) uint8 in red, green and blue.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()
