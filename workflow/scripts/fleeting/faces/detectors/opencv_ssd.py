"""Any Single Shot Detector for faces that OpenCV reads: the user's own file, by its path.

For example a frozen TensorFlow graph, an ONNX file, or Caffe's ResNet-10 face detector (whose
input is the default). The network's output has to be the usual (1, 1, N, 7): image, class,
confidence, x0, y0, x1, y1, the corners as shares of the frame.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fleeting.errors import UserError
from fleeting.faces.box import Margin
from fleeting.faces.detection import Boxes, Image, candidates, suppress
from fleeting.faces.weights import Source

#: Nothing is fetched: the weights are the user's.
SOURCE: Source | None = None
MARGIN = Margin(top=0.10, sides=0.10, bottom=0.10)
OVERLAP = 0.5


def load(weights: Path, settings: Mapping[str, Any]) -> "OpenCVDetector":
    """The detector.

    Args:
        weights: the network's file.
        settings: `confidence`; `network`: the text file that some formats need (default none);
            `input_size` in pixels (300); `mean` to subtract, in the order of the network's
            channels (104, 177, 123); `scale` to multiply by after that (1); `swap_rb`: whether
            the network wants RGB (false).
    """
    text = settings.get("network")
    for path in filter(None, (weights, text and Path(text))):
        if not path.is_file():
            raise UserError(
                f"{path}: no such file; correct crops.<name>.detector.weights or .network"
            )
    cv2.setNumThreads(1)
    try:
        net = cv2.dnn.readNet(str(weights), str(text or ""))
    except cv2.error as error:
        raise UserError(
            f"{weights}: OpenCV {cv2.__version__} cannot read this network ({error.err}); see "
            "crops.<name>.detector.weights and .network"
        ) from None
    return OpenCVDetector(net, weights, settings)


class OpenCVDetector:
    """The network with the settings of its input."""

    def __init__(self, net: cv2.dnn.Net, weights: Path, settings: Mapping[str, Any]) -> None:
        """Take the settings of `load`."""
        self.net = net
        self.weights = weights
        self.confidence = float(settings["confidence"])
        self.size = int(settings.get("input_size", 300))
        self.mean = [float(value) for value in settings.get("mean", (104, 177, 123))]
        self.scale = float(settings.get("scale", 1))
        self.swap_rb = bool(settings.get("swap_rb", False))

    def detect(self, image: Image) -> Boxes:
        """See `fleeting.faces.detection.Detector`; a network of another kind is a `UserError`."""
        blob = cv2.dnn.blobFromImage(
            image, self.scale, (self.size, self.size), self.mean, self.swap_rb, crop=False
        )
        try:
            self.net.setInput(blob)
            output = np.asarray(self.net.forward(), np.float64)
        except cv2.error as error:
            raise UserError(
                f"{self.weights}: OpenCV cannot run this network on {self.size} x {self.size} "
                f"pixels ({error.err}); correct crops.<name>.detector.input_size"
            ) from None
        if output.ndim != 4 or output.shape[:2] != (1, 1) or output.shape[3] != 7:
            raise UserError(
                f"{self.weights}: the network's output has the shape {output.shape}; an SSD's is "
                "(1, 1, N, 7). Choose another file or detector in crops.<name>.detector"
            )
        height, width = image.shape[:2]
        boxes = decode(output, width, height)
        return suppress(candidates(boxes, self.confidence), OVERLAP, weighted=False)


def decode(output: NDArray[np.float64], width: int, height: int) -> Boxes:
    """Boxes (N, 5) in pixels, from an output (1, 1, N, 7); empty places (image < 0) left out."""
    rows = output[0, 0]
    rows = rows[(rows[:, 0] >= 0) & np.isfinite(rows).all(axis=1)]
    return np.column_stack([rows[:, 3:7] * [width, height, width, height], rows[:, 2]])
