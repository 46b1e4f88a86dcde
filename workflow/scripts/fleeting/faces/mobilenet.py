"""MobileNetV1 with SSD's predictors: the network of the detector `ssd_mobilenet_v1`.

Apart from the detector, which Snakemake imports while it parses, because this needs PyTorch.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BATCH_NORM_EPSILON = 1e-3
#: Of the thirteen depthwise layers, those that halve the picture (as does the first convolution).
HALVING = (2, 4, 6, 12)


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
