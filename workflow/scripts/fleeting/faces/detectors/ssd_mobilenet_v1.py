"""SSD with a MobileNetV1 backbone (512 x 512, trained on WIDER FACE): the paper's detector.

Section 3 of the paper names a Single Shot Detector "that used MobileNet as the baseline" and
nothing more. The weights are those of the face-api library; the network is in
`fleeting.faces.mobilenet`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.faces.detector import Boxes, Image, best_boxes, letterbox
from fleeting.faces.settings import DetectorSettings, Margin
from fleeting.faces.weights import Source, WeightFile, checked

if TYPE_CHECKING:
    from fleeting.faces.mobilenet import Network

SOURCE = Source(
    client="npm",
    package="@vladmandic/face-api",
    version="1.7.15",
    files=(
        WeightFile(
            member="package/model/ssd_mobilenetv1_model.bin",
            size=5_616_957,
            sha256="2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8",
        ),
        WeightFile(
            member="package/model/ssd_mobilenetv1_model-weights_manifest.json",
            size=28_233,
            sha256="888f744dffbc84f5f060d1f8427d9742341943a2dfaaf9205d10029b7e7a2955",
        ),
    ),
)
MARGIN = Margin(top=0.05, sides=0.10, bottom=0.10)

SIZE = 512
OVERLAP = 0.5
#: The share by which equalised grey is tinted, as BGR: the network knows faces in skin colours.
TINT = np.array([0.78, 0.92, 1.15], np.float32)


class Settings(DetectorSettings):
    """The keys that all detectors share, and whether the input is equalised."""

    kind: str = "ssd_mobilenet_v1"
    equalise: bool = Field(
        True, description="Equalise the detector's input; without it, many grey faces are missed."
    )


def load(weights: Path, settings: Settings) -> "SSDMobileNetV1":
    """The detector; `weights` is the folder of the two files, or the `.bin` beside the manifest."""
    import cv2
    import torch

    from fleeting.faces.mobilenet import Network, read_weights

    files = checked(weights, SOURCE)
    binary, manifest = (files[file.name] for file in SOURCE.files)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    network = Network(read_weights(binary, manifest)).eval()
    return SSDMobileNetV1(network, settings.confidence, settings.equalise)


@dataclass(frozen=True)
class SSDMobileNetV1:
    """The network, the lowest confidence of a face, and whether the input is equalised."""

    network: "Network"
    confidence: float
    equalised: bool

    def detect(self, image: Image) -> Boxes:
        """See `fleeting.faces.detector.Detector`."""
        import torch

        square, scale, _, _ = letterbox(
            equalise(image) if self.equalised else image, SIZE, centred=False
        )
        rgb = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None])
        with torch.inference_mode():
            encoded, scores = self.network(torch.from_numpy(rgb).float() / 127.5 - 1)
        boxes = decode(encoded.numpy(), scores.numpy(), self.network.anchors)
        boxes[:, :4] /= scale
        return best_boxes(boxes, self.confidence, OVERLAP, weighted=False)


def equalise(image: Image) -> Image:
    """The image in grey with its contrast equalised by region, tinted like skin.

    Without this the network misses grey faces of middle size. Only the detector sees the result.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    even = cv2.createCLAHE(clipLimit=2, tileGridSize=(8, 8)).apply(grey)
    return np.clip(even[..., None] * TINT, 0, 255).astype(np.uint8)


def decode(
    encoded: NDArray[np.float32], scores: NDArray[np.float32], anchors: NDArray[np.float64]
) -> Boxes:
    """Boxes (N, 5) in pixels of the input, from (N, 4), (N, 3) and anchors (N, 4).

    An anchor is (y0, x0, y1, x1) as shares of the input's side; the face is class 1.
    """
    height, width = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    y = (anchors[:, 0] + anchors[:, 2]) / 2 + encoded[:, 0] / 10 * height
    x = (anchors[:, 1] + anchors[:, 3]) / 2 + encoded[:, 1] / 10 * width
    tall, wide = np.exp(encoded[:, 2] / 5) * height / 2, np.exp(encoded[:, 3] / 5) * width / 2
    confidence = 1 / (1 + np.exp(-scores[:, 1].astype(np.float64)))
    corners = np.column_stack([x - wide, y - tall, x + wide, y + tall]) * SIZE
    return np.column_stack([corners, confidence])
