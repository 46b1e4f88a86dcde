"""SSD with a MobileNetV1 backbone (512 x 512, trained on WIDER FACE): the paper's detector.

Section 3 of the paper names a Single Shot Detector "that used MobileNet as the baseline" and
nothing more. The weights are those of the face-api library; the network is written here anew.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fleeting.faces.box import Margin
from fleeting.faces.detection import Boxes, Image, candidates, letterbox, suppress
from fleeting.faces.weights import Source, WeightFile, checked

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
BATCH_NORM_EPSILON = 1e-3
#: Of the thirteen depthwise layers, those that halve the picture (as does the first convolution).
HALVING = (2, 4, 6, 12)
#: The share by which equalised grey is tinted, as BGR: the network knows faces in skin colours.
TINT = np.array([0.78, 0.92, 1.15], np.float32)


def load(weights: Path, settings: Mapping[str, Any]) -> "SSDMobileNetV1":
    """The detector.

    Args:
        weights: the folder of the two published files, or the `.bin` with the manifest beside it.
        settings: `confidence`; `equalise` (default true): see `equalise`.
    """
    files = checked(weights, SOURCE)
    binary, manifest = (files[file.name] for file in SOURCE.files)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    network = Network(read_weights(binary, manifest)).eval()
    return SSDMobileNetV1(
        network, float(settings["confidence"]), bool(settings.get("equalise", True))
    )


class SSDMobileNetV1:
    """The network, the lowest confidence of a face, and whether the input is equalised."""

    def __init__(self, network: "Network", confidence: float, equalised: bool) -> None:
        """Keep the three."""
        self.network = network
        self.confidence = confidence
        self.equalised = equalised

    def detect(self, image: Image) -> Boxes:
        """See `fleeting.faces.detection.Detector`."""
        square, scale, _, _ = letterbox(
            equalise(image) if self.equalised else image, SIZE, centred=False
        )
        rgb = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None])
        with torch.inference_mode():
            encoded, scores = self.network(torch.from_numpy(rgb).float() / 127.5 - 1)
        boxes = decode(encoded.numpy(), scores.numpy(), self.network.anchors)
        boxes[:, :4] /= scale
        return suppress(candidates(boxes, self.confidence), OVERLAP, weighted=False)


def equalise(image: Image) -> Image:
    """The image in grey with its contrast equalised by region, tinted like skin.

    Without this the network misses grey faces of middle size. Only the detector sees the result.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    even = cv2.createCLAHE(clipLimit=2, tileGridSize=(8, 8)).apply(grey)
    return np.clip(even[..., None] * TINT, 0, 255).astype(np.uint8)


def read_weights(binary: Path, manifest: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays by name, in TensorFlow's layout; eight-bit ones are value = q x scale + min."""
    data = binary.read_bytes()
    arrays = {}
    position = 0
    for entry in json.loads(manifest.read_text(encoding="utf-8"))[0]["weights"]:
        count = int(np.prod(entry["shape"]))
        packing = entry.get("quantization")
        kind = np.dtype(np.uint8 if packing else np.float32)
        array = np.frombuffer(data, kind, count, position).astype(np.float32)
        if packing:
            array = array * np.float32(packing["scale"]) + np.float32(packing["min"])
        arrays[entry["name"]] = array.reshape(entry["shape"])
        position += count * kind.itemsize
    return arrays


class Layer(nn.Module):
    """A convolution with TensorFlow's SAME padding, then ReLU6."""

    def __init__(self, weight: Tensor, bias: Tensor, stride: int = 1, groups: int = 1) -> None:
        """Take a weight in PyTorch's layout."""
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.stride, self.groups = stride, groups

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; with stride 2 the padding is all at the right and the bottom."""
        padding = 0
        if self.weight.shape[-1] == 3:
            x = nn.functional.pad(x, (0, 1, 0, 1)) if self.stride == 2 else x
            padding = 0 if self.stride == 2 else 1
        x = nn.functional.conv2d(x, self.weight, self.bias, self.stride, padding, 1, self.groups)
        return nn.functional.relu6(x)


class Network(nn.Module):
    """MobileNetV1, eight further convolutions, and a predictor on each of six resolutions."""

    def __init__(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Build the layers from the arrays of `read_weights`."""
        super().__init__()
        self.arrays = arrays
        self.backbone = nn.ModuleList(self._backbone())
        self.further = nn.ModuleList(
            self._convolution(f"Prediction/Conv2d_{i}_pointwise", 1 + i % 2) for i in range(8)
        )
        self.box_heads = nn.ModuleList(self._heads("BoxEncodingPredictor"))
        self.class_heads = nn.ModuleList(self._heads("ClassPredictor"))
        self.anchors = arrays["Output/extra_dim"][0].astype(np.float64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded boxes (5118, 4) and class scores (5118, 3) for one input (1, 3, 512, 512)."""
        features = []
        for i, layer in enumerate(self.backbone):
            x = layer(x)
            if i in (22, 26):  # the pointwise convolutions 11 and 13
                features.append(x)
        for i, layer in enumerate(self.further):
            x = layer(x)
            if i % 2:
                features.append(x)
        pairs = list(zip(features, self.box_heads, self.class_heads, strict=True))
        boxes = [head(x).permute(0, 2, 3, 1).reshape(-1, 4) for x, head, _ in pairs]
        scores = [head(x).permute(0, 2, 3, 1).reshape(-1, 3) for x, _, head in pairs]
        return torch.cat(boxes), torch.cat(scores)

    def _backbone(self) -> Iterator[Layer]:
        yield self._convolution("MobilenetV1/Conv2d_0_pointwise", 2)
        for i in range(1, 14):
            yield self._depthwise(f"MobilenetV1/Conv2d_{i}_depthwise", 2 if i in HALVING else 1)
            yield self._convolution(f"MobilenetV1/Conv2d_{i}_pointwise")

    def _convolution(self, name: str, stride: int = 1) -> Layer:
        bias = torch.from_numpy(self.arrays[f"{name}/convolution_bn_offset"])
        return Layer(self._weight(f"{name}/weights"), bias, stride)

    def _depthwise(self, name: str, stride: int) -> Layer:
        weight = torch.from_numpy(self.arrays[f"{name}/depthwise_weights"]).permute(2, 3, 0, 1)
        gamma, beta, mean, variance = (
            torch.from_numpy(self.arrays[f"{name}/BatchNorm/{part}"])
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        gain = gamma / torch.sqrt(variance + BATCH_NORM_EPSILON)
        scaled = (weight * gain.view(-1, 1, 1, 1)).contiguous()
        return Layer(scaled, beta - mean * gain, stride, groups=len(gamma))

    def _heads(self, kind: str) -> Iterator[nn.Conv2d]:
        for i in range(6):
            weight = self._weight(f"Prediction/BoxPredictor_{i}/{kind}/weights")
            head = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
            head.weight.data = weight
            bias = self.arrays[f"Prediction/BoxPredictor_{i}/{kind}/biases"]
            head.bias = nn.Parameter(torch.from_numpy(bias))
            yield head

    def _weight(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name]).permute(3, 2, 0, 1).contiguous()


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
