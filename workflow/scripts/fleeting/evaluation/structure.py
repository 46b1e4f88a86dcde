"""The structure of each model, read from the model itself, beside the paper's table 1."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import nn

from fleeting import registry
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.tables import INTEGER, NAME, TEXT, Schema

STRUCTURE: Schema = {
    "model": NAME,
    "layer": NAME,
    "output": NAME,
    "structure": NAME,
    "parameters": INTEGER,
    "paper_output": TEXT,
    "paper_structure": TEXT,
}
#: The paper's table 1, "Resnet18 structure by using Pytorch library", as printed.
PAPER = {
    "Conv1": ("112x112x64", "7x7, 64, stride 2"),
    "Conv2_x": ("56x56x64", "3x3 max pool, stride 2; 3x3, 64; 3x3, 64"),
    "Conv3_x": ("28x28x128", "3x3, 128; 3x3, 128"),
    "Conv4_x": ("14x14x256", "3x3, 256; 3x3, 256"),
    "Conv5_x": ("7x7x512", "3x3, 512; 3x3, 512"),
    "Avg_pool": ("1x1x512", "7x7, average pool"),
    "Fc": ("6", "512x6 fully-connected"),
    "softmax": ("6", ""),
}
#: Modules of torchvision's residual networks under the paper's names.
_LAYERS = {
    "conv1": "Conv1",
    "maxpool": "Conv2_x",
    "layer1": "Conv2_x",
    "layer2": "Conv3_x",
    "layer3": "Conv4_x",
    "layer4": "Conv5_x",
    "avgpool": "Avg_pool",
    "fc": "Fc",
}


def table(models: Sequence[str], classes: int, size: int) -> pd.DataFrame:
    """The structure of each named model for `size` x `size` images and `classes` outputs.

    A model is built on torch's `meta` device: its shapes are real, its weights take no memory.
    Normalisations and activations are counted with the layer that they follow.
    """
    rows = []
    for name in models:
        with torch.device("meta"):
            network = registry.load("model", name).build(classes)
        for layer, output, structure, parameters in layers(network, size):
            paper = PAPER.get(layer, ("", ""))
            rows.append((name, layer, output, structure, parameters, *paper))
    return pd.DataFrame(rows, columns=list(STRUCTURE))


def layers(network: nn.Module, size: int) -> list[tuple[str, str, str, int]]:
    """Layer name, output (height x width x channels), structure and parameters, in order."""
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def remember(name: str) -> object:
        def hook(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            shapes[name] = (tuple(inputs[0].shape), tuple(output.shape))

        return hook

    for name, module in network.named_children():
        module.register_forward_hook(remember(name))  # type: ignore[arg-type]
    with torch.no_grad():
        outputs = network.eval()(torch.zeros(1, 3, size, size, device="meta"))

    found: dict[str, tuple[str, list[str], int]] = {}
    layer = ""
    for name, module in network.named_children():
        text = _structure(module, shapes[name][0])
        if text is None and not layer:
            continue
        layer = _LAYERS.get(name, name) if text is not None else layer
        before = found.get(layer, ("", [], 0))
        parameters = before[2] + sum(parameter.numel() for parameter in module.parameters())
        output = _size(shapes[name][1]) if text is not None else before[0]
        found[layer] = (output, before[1] + ([text] if text is not None else []), parameters)
    rows = [(name, out, "; ".join(texts), count) for name, (out, texts, count) in found.items()]
    return [*rows, ("softmax", _size(tuple(outputs.shape)), "in the loss and the test step", 0)]


def _structure(module: nn.Module, entering: tuple[int, ...]) -> str | None:
    """One module in the notation of He et al. (2015), table 1; None for what has no row there."""
    if isinstance(module, nn.Conv2d):
        return _convolution(module) + _stride(module.stride)
    if isinstance(module, nn.MaxPool2d):
        return f"{module.kernel_size}x{module.kernel_size} max pool, stride {module.stride}"
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return f"{entering[2]}x{entering[3]}, average pool"
    if isinstance(module, nn.Linear):
        return f"{module.in_features}x{module.out_features} fully-connected"
    if isinstance(module, nn.Sequential):
        blocks = [_block(block) for block in module]
        kinds = list(dict.fromkeys(blocks))
        return "; ".join(f"[{kind}] x {blocks.count(kind)}" for kind in kinds) + _block_stride(
            module
        )
    if isinstance(module, nn.BatchNorm2d | nn.ReLU):
        return None
    return type(module).__name__


def _block(block: nn.Module) -> str:
    """A residual block's convolutions, without the one of its shortcut."""
    return "; ".join(
        _convolution(module)
        for name, module in block.named_modules()
        if isinstance(module, nn.Conv2d) and not name.startswith("downsample")
    )


def _block_stride(blocks: nn.Sequential) -> str:
    strides = [
        module.stride[0]
        for name, module in blocks.named_modules()
        if isinstance(module, nn.Conv2d) and "downsample" not in name
    ]
    return f", first block stride {max(strides)}" if strides and max(strides) > 1 else ""


def _convolution(module: nn.Conv2d) -> str:
    return f"{module.kernel_size[0]}x{module.kernel_size[1]}, {module.out_channels}"


def _stride(stride: tuple[int, ...]) -> str:
    return f", stride {stride[0]}" if stride[0] > 1 else ""


def _size(shape: tuple[int, ...]) -> str:
    """(1, channels, height, width) as height x width x channels; (1, outputs) as outputs."""
    return "x".join(map(str, (*shape[2:], shape[1])))


def page(frame: pd.DataFrame, classes: int, size: int) -> Page:
    """The table for reading: a part a model, the paper's columns beside it."""
    parts = []
    for model, own in frame.groupby("model", sort=False):
        shown = own.drop(columns="model").rename(
            columns={"paper_output": "paper: output", "paper_structure": "paper: structure"}
        )
        total = int(own["parameters"].sum())
        whole = pd.DataFrame([{"layer": "all layers", "parameters": total}])
        shown = pd.concat([shown, whole], ignore_index=True).fillna("")
        shown["parameters"] = [f"{count:,}".replace(",", " ") for count in shown["parameters"]]
        parts.append((paper_name(str(model)), shown))
    return Page(
        "Table 1: structure of the models",
        f"Read from each model by one pass of a {size}x{size} image, with {classes} classes; "
        "nothing was measured, so there are no repeats. Output is height x width x channels; "
        "[...] x 2 is a residual block and how often it follows itself. Normalisations, "
        "activations and the shortcuts' convolutions have no row but are counted among the "
        "parameters. The paper's columns are its table 1 as printed, for ResNet18 and a 224x224 "
        "image: it gives one block of each layer and leaves out how often it repeats.",
        parts,
    )
