"""torchvision's classifiers, each for any number of classes and channels."""

from functools import partial
from math import sqrt
from typing import Any, cast

import torch
import torchvision
from torch import nn
from torch.nn.functional import adaptive_avg_pool1d
from torchvision.models.googlenet import BasicConv2d, Inception, InceptionAux

#: The outputs of a network as torchvision builds it; no inner layer has as many.
IMAGENET_CLASSES = 1000
#: GoogLeNet (Szegedy et al., 2015, section 5): "their loss gets added to the total loss of the
#: network with a discount weight (the losses of the auxiliary classifiers were weighted by 0.3)".
#: Inception v3: its paper gives none; 0.4 is in its authors' training code, tensorflow/models,
#: `inception/inception_model.py`: `weight=0.4, scope='aux_loss'`.
AUX_WEIGHTS = {"googlenet": (0.3, 0.3), "inception_v3": (0.4,)}
#: torchvision: "auxiliary heads in the pretrained googlenet model are NOT pretrained".
UNTRAINED = {"googlenet": ("aux1", "aux2")}
#: These networks' weights were trained with other values than their metadata says; torchvision's
#: `transform_input` converts from one to the other, but only three channels.
CENTRED = frozenset({"googlenet", "inception_v3"})
#: Networks built for one size, in which every position has its own weights.
FIXED_SIZE = ("vit_", "maxvit_")
#: The metadata assumes evaluation mode; in training, Inception v3's auxiliary head needs more.
MIN_SIZE = {"inception_v3": 299}


def facts(name: str, size: tuple[int, int], pretrained: bool) -> dict[str, Any]:
    """The values of a network's `Architecture`, for inputs of `size` (height, width).

    Without pretrained weights the input is not resized, unless the network is built for one size or
    needs larger images.
    """
    known = torchvision.models.get_model_weights(name)
    # regnet_y_128gf and vit_h_14 have none; their last ones are for images of 224 pixels too.
    published = known.__members__.get("IMAGENET1K_V1") or list(known)[-1]
    transforms = published.transforms()
    trained_size = (transforms.crop_size[0], transforms.crop_size[0])
    smallest = MIN_SIZE.get(name, published.meta["min_size"][0])
    resized = pretrained or name.startswith(FIXED_SIZE) or min(size) < smallest
    return {
        "size": trained_size if resized else size,
        "mean": (0.5, 0.5, 0.5) if name in CENTRED else tuple(transforms.mean),
        "deviation": (0.5, 0.5, 0.5) if name in CENTRED else tuple(transforms.std),
        "aux_weights": AUX_WEIGHTS.get(name, ()),
        "weights_url": str(published.url) if published.name == "IMAGENET1K_V1" else None,
        "untrained": UNTRAINED.get(name, ()),
    }


def build(name: str, classes: int, channels: int) -> nn.Module:
    """A network with fresh heads and initial values.

    The paper, section 3: "the model followed the original structure except at the end of
    fully-connected layers, where the output neurons only six, corresponded to the number of
    classes". The softmax of table 1 is part of the loss and of the prediction.
    """
    # torchvision warns where these two are not told to draw their initial values.
    options: dict[str, Any] = {"init_weights": True} if name in AUX_WEIGHTS else {}
    if name == "googlenet":
        options["blocks"] = [BasicConv2d, Inception, AuxiliaryHead]
    network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    for head, layer in list(network.named_modules()):
        if isinstance(layer, nn.Linear) and layer.out_features == IMAGENET_CLASSES:
            network.set_submodule(head, nn.Linear(layer.in_features, classes))
        elif isinstance(layer, nn.Conv2d) and layer.out_channels == IMAGENET_CLASSES:
            network.set_submodule(head, nn.Conv2d(layer.in_channels, classes, kernel_size=1))
        elif isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size not in (1, (1, 1)):
            network.set_submodule(head, AveragePool(layer.output_size))
    if isinstance(network, torchvision.models.MNASNet):
        # Its own method refuses a plain `dict`, which has no metadata.
        network._load_from_state_dict = partial(nn.Module._load_from_state_dict, network)
    if channels != 3:
        _take_channels(network, channels)
    return network


def _take_channels(network: nn.Module, channels: int) -> None:
    """Give the first convolution other channels, and weights that keep its outputs' variance."""
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        shape = (first.out_channels, channels, *first.kernel_size)
        drawn = torch.randn(shape, device=first.weight.device)
        first.weight = nn.Parameter(drawn * first.weight.std() * sqrt(first.in_channels / channels))
    first.in_channels = channels


class AuxiliaryHead(InceptionAux):
    """torchvision's auxiliary head of GoogLeNet with another average pooling."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) features to (N, classes) logits."""
        values = torch.flatten(self.conv(average_pool(values, (4, 4))), 1)
        return self.fc2(self.dropout(torch.relu(self.fc1(values))))


class AveragePool(nn.AdaptiveAvgPool2d):
    """Adaptive average pooling whose gradient is deterministic on CUDA, as PyTorch's own is not."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, *output_size)."""
        return average_pool(values, cast(tuple[int, int], self.output_size))


def average_pool(values: torch.Tensor, output_size: tuple[int, int]) -> torch.Tensor:
    """Equal to `adaptive_avg_pool2d` up to rounding, but computed by matrix products."""
    if tuple(values.shape[-2:]) == output_size:
        return values
    # Each row is the mean over its bin: (bins, height) and (bins, width).
    rows, columns = (
        adaptive_avg_pool1d(torch.eye(size, device=values.device), bins).T.contiguous()
        for size, bins in zip(values.shape[-2:], output_size, strict=True)
    )
    return rows @ values @ columns.T
