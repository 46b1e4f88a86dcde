"""Shared by all detectors: the interface, the letterbox and the suppression of duplicates."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: (height, width, 3), BGR.
Image = NDArray[np.uint8]
#: (N, 5): x0 y0 x1 y1 confidence, in pixels of the image, the most confident first. Or (N, 9), of a
#: detector whose module says `FINDS_EYES = True`: also the x and y of each eye's centre.
Boxes = NDArray[np.float64]


class Detector(Protocol):
    """A face detector; a module of `fleeting.faces.detectors` makes one by `load`."""

    def detect(self, image: Image) -> Boxes:
        """Find faces.

        Returns:
            The faces whose confidence reaches the detector's setting. Where there is none: the
            one best candidate below it, so that its confidence can be reported. A box may reach
            beyond the image.
        """


def letterbox(image: Image, size: int, centred: bool) -> tuple[Image, float, int, int]:
    """Shrink or enlarge an image into a black square without changing its aspect.

    Returns:
        The square (size, size, 3), the scale applied, and the image's left and top in the square.
    """
    import cv2

    height, width = image.shape[:2]
    scale = size / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, shape, interpolation=filter_)
    left, top = ((size - shape[0]) // 2, (size - shape[1]) // 2) if centred else (0, 0)
    square = np.zeros((size, size, 3), np.uint8)
    square[top : top + shape[1], left : left + shape[0]] = resized
    return square, scale, left, top


def best_boxes(boxes: Boxes, confidence: float, overlap: float, weighted: bool) -> Boxes:
    """One box for each face (non-maximum suppression).

    Args:
        boxes: (N, 5) or (N, 9), in any order.
        confidence: boxes below it are left out; if all are, the best one stays.
        overlap: the intersection over union above which two boxes show the same face.
        weighted: return the mean of a face's boxes (and of its eyes), weighted by confidence, not
            its best box.
    """
    ranked = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    confident = ranked[:, 4] >= confidence
    ranked = ranked[confident] if confident.any() else ranked[:1]
    faces = []
    places = [column for column in range(boxes.shape[1]) if column != 4]
    while len(ranked):
        same = _overlaps(ranked[0], ranked) > overlap
        same[0] = True
        group, ranked = ranked[same], ranked[~same]
        best = group[0].copy()
        if weighted:
            best[places] = np.average(group[:, places], axis=0, weights=group[:, 4])
        faces.append(best)
    return np.array(faces, np.float64).reshape(-1, boxes.shape[1])


def _overlaps(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:4], boxes[:, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).prod(axis=1)
    own = (box[2:4] - box[:2]).prod()
    return np.asarray(shared / np.maximum(own + areas - shared, 1e-12))
