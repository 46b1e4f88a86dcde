"""Any Single Shot Detector for faces that OpenCV reads: the user's own file, by its path.

For example a frozen TensorFlow graph, an ONNX file, or Caffe's ResNet-10 face detector (whose
input is the default). The network's output has to be the usual (1, 1, N, 7): image, class,
confidence, x0, y0, x1, y1, the corners as shares of the frame.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.errors import UserError
from fleeting.faces.detector import Boxes, Image, best_boxes
from fleeting.faces.settings import DetectorSettings, Margin
from fleeting.faces.weights import Source
from fleeting.settings import PathText

if TYPE_CHECKING:
    import cv2

#: Nothing is fetched: the weights are the user's.
SOURCE: Source | None = None
MARGIN = Margin(top=0.10, sides=0.10, bottom=0.10)
OVERLAP = 0.5


class Settings(DetectorSettings):
    """The user's file and the input that it was trained on; the defaults are ResNet-10's."""

    kind: str = "opencv_ssd"
    weights: PathText = Field(description="The network's file.")
    network: PathText | None = Field(
        None, description="The text file that describes the network, which some formats need."
    )
    input_size: int = Field(300, ge=32, le=4096, description="Pixels of the network's input.")
    mean: tuple[float, float, float] = Field(
        (104, 177, 123), description="Subtracted, in the order of the network's channels."
    )
    scale: float = Field(1, gt=0, description="What the difference is multiplied by.")
    swap_rb: bool = Field(False, description="Whether the network expects RGB instead of BGR.")


def load(weights: Path, settings: Settings) -> "OpenCVDetector":
    """The detector; a file that OpenCV cannot read is a `UserError`."""
    import cv2

    text = settings.network
    for path in (weights, *([Path(text)] if text else [])):
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


@dataclass(frozen=True)
class OpenCVDetector:
    """The network, the file that it is from, and the settings of its input."""

    net: "cv2.dnn.Net"
    weights: Path
    settings: Settings

    def detect(self, image: Image) -> Boxes:
        """See `fleeting.faces.detector.Detector`; a network of another kind is a `UserError`."""
        import cv2

        given = self.settings
        size = (given.input_size, given.input_size)
        blob = cv2.dnn.blobFromImage(
            image, given.scale, size, given.mean, given.swap_rb, crop=False
        )
        try:
            self.net.setInput(blob)
            output = np.asarray(self.net.forward(), np.float64)
        except cv2.error as error:
            raise UserError(
                f"{self.weights}: OpenCV cannot run this network on {size[0]} x {size[1]} "
                f"pixels ({error.err}); correct crops.<name>.detector.input_size"
            ) from None
        if output.ndim != 4 or output.shape[:2] != (1, 1) or output.shape[3] != 7:
            raise UserError(
                f"{self.weights}: the network's output has the shape {output.shape}; an SSD's is "
                "(1, 1, N, 7). Choose another file or detector in crops.<name>.detector"
            )
        height, width = image.shape[:2]
        boxes = decode(output, width, height)
        return best_boxes(boxes, given.confidence, OVERLAP, weighted=False)


def decode(output: NDArray[np.float64], width: int, height: int) -> Boxes:
    """Boxes (N, 5) in pixels, from an output (1, 1, N, 7); empty places (image < 0) left out."""
    rows = output[0, 0]
    rows = rows[(rows[:, 0] >= 0) & np.isfinite(rows).all(axis=1)]
    return np.column_stack([rows[:, 3:7] * [width, height, width, height], rows[:, 2]])
