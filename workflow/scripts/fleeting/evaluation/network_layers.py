"""The layers of a network with their outputs and parameters, read from the network itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torchvision
from torch import nn

#: Modules of torchvision's residual networks under the names of the paper's table 1.
RESNET = {
    "conv1": "Conv1",
    "maxpool": "Conv2_x",
    "layer1": "Conv2_x",
    "layer2": "Conv3_x",
    "layer3": "Conv4_x",
    "layer4": "Conv5_x",
    "avgpool": "Avg_pool",
    "fc": "Fc",
}
#: Kinds of modules that have no row: their parameters are counted with the layer that they follow.
UNNAMED = (
    "BatchNorm2d LayerNorm LayerNorm2d ReLU ReLU6 SiLU GELU Hardswish Tanh Dropout Identity "
    "Flatten Permute StochasticDepth"
).split()
#: Kinds of attention, and where each says how many heads it has.
ATTENTION = {
    "MultiheadAttention": "num_heads",
    "ShiftedWindowAttention": "num_heads",
    "ShiftedWindowAttentionV2": "num_heads",
    "RelativePositionalMultiHeadAttention": "n_heads",
}
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
#: Convolutions beside a block's own, where they are a `Sequential` of these names.
SHORTCUTS = ("downsample", "proj")
#: Rows are the modules of a network, and those inside its containers, down to this level.
DEPTH = 2

Shape = tuple[int, ...]


@dataclass
class Layer:
    """A row: output is height x width x channels; parameters include what follows without a row."""

    name: str
    output: str
    structure: str
    parameters: int


def layers(network: nn.Module, channels: int, size: tuple[int, ...]) -> list[Layer]:
    """The layers in order, the softmax last.

    Args:
        network: on torch's `meta` device: its shapes are real and nothing is computed.
        channels: of the input.
        size: height and width of the input.
    """
    entering: dict[str, Shape] = {}
    leaving: dict[str, Shape] = {}

    def remember(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            if isinstance(output, torch.Tensor) and isinstance(inputs[0], torch.Tensor):
                entering[name], leaving[name] = tuple(inputs[0].shape), tuple(output.shape)

        return hook

    for name, module in network.named_modules():
        if name and name.count(".") < DEPTH:
            module.register_forward_hook(remember(name))
    with torch.no_grad():
        # In training mode, for the auxiliary heads; two images, for batch normalisation.
        logits = network.train()(torch.zeros(2, channels, *size, device="meta"))
    if isinstance(logits, tuple):
        logits = logits[0]

    names = RESNET if isinstance(network, torchvision.models.ResNet) else {}
    found: dict[str, Layer] = {}
    layer: Layer | None = None
    for name, module in _rows(network):
        parameters = _count(module)
        text = _text(module, entering.get(name))
        if text is None and layer is None and parameters:
            text = type(module).__name__
        if text is not None:
            named = names.get(name, name)
            output = _output(network, name, module, leaving)
            layer = found.setdefault(named, Layer(named, output, "", 0))
            layer.output = output
            layer.structure = "; ".join(filter(None, [layer.structure, text]))
        if layer:
            layer.parameters += parameters
    softmax = Layer("softmax", _size(tuple(logits.shape)), "in the loss and the test step", 0)
    return [*found.values(), softmax]


def _rows(module: nn.Module, above: str = "") -> Iterator[tuple[str, nn.Module | nn.Parameter]]:
    """What may have a row, by dotted name, from the outside inwards."""
    yield from module.named_parameters(above, recurse=False)
    for own, child in module.named_children():
        name = f"{above}.{own}" if above else own
        if name.count(".") + 1 < DEPTH and _is_opened(child):
            yield from _rows(child, name)
        else:
            yield name, child


def _is_opened(module: nn.Module) -> bool:
    """Whether a module's own modules have rows: a container of different layers."""
    if isinstance(module, nn.ModuleList):
        return True
    texts = [text for text in map(_inner, module.children()) if text is not None]
    return isinstance(module, nn.Sequential) and not _is_stage(module) and len(texts) > 1


def _is_stage(module: nn.Module) -> bool:
    """Whether a module is a row of blocks of one kind, such as a ResNet's `layer1`."""
    blocks = list(module.children())
    return (
        isinstance(module, CONTAINERS)
        and len({type(block) for block in blocks}) == 1
        and not isinstance(blocks[0], CONTAINERS)
        and any(blocks[0].children())
    )


def _text(module: nn.Module | nn.Parameter, entering: Shape | None) -> str | None:
    """A row in the notation of He et al. (2015), table 1; None for what has no row."""
    if isinstance(module, nn.Parameter):
        return "parameter"
    if isinstance(module, nn.AdaptiveAvgPool2d) and entering:
        if module.output_size in (1, (1, 1)):
            return f"{entering[2]}x{entering[3]}, average pool"
        return f"average pool to {_by(cast(Shape, module.output_size))}"
    text = _inner(module)
    kind = type(module).__name__
    return kind if text is None and kind not in UNNAMED and not any(module.children()) else text


def _inner(module: nn.Module, stride: bool = True) -> str | None:
    """The same for a module inside a row, which knows no input size; None for an unknown kind."""
    kind = type(module).__name__
    if kind in UNNAMED:
        return None
    if isinstance(module, nn.Conv2d):
        groups = f", {module.groups} groups" if module.groups > 1 else ""
        text = f"{_by(module.kernel_size)}, {module.out_channels}{groups}"
        return text + (f", stride {module.stride[0]}" if stride and module.stride[0] > 1 else "")
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        pool = "max" if isinstance(module, nn.MaxPool2d) else "average"
        steps = module.stride if isinstance(module.stride, int) else module.stride[0]
        return f"{_by(module.kernel_size)} {pool} pool, stride {steps}"
    if isinstance(module, nn.Linear):
        return f"{module.in_features}x{module.out_features} fully-connected"
    if kind in ATTENTION:
        return f"attention, {getattr(module, ATTENTION[kind])} heads"
    if kind == "SqueezeExcitation":
        return "squeeze-excitation"
    if _is_stage(module):
        blocks = list(filter(None, (_inner(block, stride=False) for block in module.children())))
        if any(";" in block for block in blocks):
            kinds = [f"[{kind}] x {blocks.count(kind)}" for kind in dict.fromkeys(blocks)]
            return "; ".join(kinds) + _block_stride(module)
    texts = [
        _inner(child, stride)
        for name, child in module.named_children()
        if not (name in SHORTCUTS and isinstance(child, nn.Sequential))
    ]
    return "; ".join(filter(None, texts)) or None


def _block_stride(blocks: nn.Module) -> str:
    strides = [
        module.stride[0]
        for name, module in blocks.named_modules()
        if isinstance(module, nn.Conv2d) and "downsample" not in name
    ]
    return f", first block stride {max(strides)}" if strides and max(strides) > 1 else ""


def _by(size: int | tuple[int, ...]) -> str:
    return f"{size}x{size}" if isinstance(size, int) else "x".join(map(str, size))


def _count(module: nn.Module | nn.Parameter) -> int:
    own = [module] if isinstance(module, nn.Parameter) else module.parameters()
    return sum(parameter.numel() for parameter in own)


def _output(
    network: nn.Module, name: str, module: nn.Module | nn.Parameter, leaving: dict[str, Shape]
) -> str:
    if isinstance(module, nn.Parameter):
        return _by(tuple(module.shape))
    if name not in leaving:
        # Not used, or it returns something else than one tensor.
        return "-"
    shape = leaving[name]
    inside = name.partition(".")[0]
    if isinstance(network, torchvision.models.SwinTransformer) and inside in ("features", "norm"):
        # Its channels are last until its module `permute`.
        shape = (shape[0], shape[3], shape[1], shape[2])
    return _size(shape)


def _size(shape: Shape) -> str:
    """(N, C, H, W) as HxWxC, (N, positions, C) as positionsxC, (N, outputs) as outputs."""
    return _by((*shape[2:], shape[1])) if len(shape) == 4 else _by(shape[1:])
