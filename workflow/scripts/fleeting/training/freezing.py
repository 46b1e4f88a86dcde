"""Layers that keep their pretrained weights."""

from collections.abc import Iterator, Sequence

from torch import nn

#: Layers that hold a network's blocks: what they hold are blocks of their own.
CONTAINERS = ("features", "trunk_output", "encoder", "layers", "blocks")
#: Layers that lower the resolution if their stride is above 1.
STRIDED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def freeze(network: nn.Module, heads: Sequence[str], which: str) -> list[nn.Module]:
    """Let an optimiser leave the weights of all other layers as they are.

    Args:
        network: its parameters are marked; nothing else changes.
        heads: the names of its heads, see `Architecture.heads`.
        which: the recipe's `freeze`.

    Returns:
        The frozen layers. Put them into evaluation mode, so that the statistics of their batch
        normalisation stay, too, and nothing is dropped out in them.
    """
    if which == "none":
        return []
    trained = [*heads, *(last_stage(network, heads) if which == "all_but_last_stage" else ())]
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_is_below(name, trained))
    return [
        module
        for module in network.modules()
        if (found := list(module.parameters())) and not any(one.requires_grad for one in found)
    ]


def last_stage(network: nn.Module, heads: Sequence[str]) -> list[str]:
    """The dotted names of the blocks from the last one on that lowers the resolution.

    One counts only if it holds weights, or others after it in its container do. For a network that
    lowers it at its entrance alone, as ViT does, these are the blocks from the last one with
    attention on.
    """
    blocks = [(name, block) for name, block in _blocks(network) if not _is_below(name, heads)]
    weighty = [place for place, (_, block) in enumerate(blocks) if _has_weights(block)]
    starts = [
        place
        for place, (name, block) in enumerate(blocks)
        if any(_reduces(layer) for layer in block.modules())
        and any(
            other >= place and _container(blocks[other][0]) == _container(name) for other in weighty
        )
    ]
    if not starts or starts[-1] == weighty[0]:
        starts = [
            place
            for place, (_, block) in enumerate(blocks)
            if any(isinstance(layer, nn.MultiheadAttention) for layer in block.modules())
        ] or weighty
    return [name for name, _ in blocks[starts[-1] :]]


def _blocks(network: nn.Module, container: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in network.named_children():
        if name in CONTAINERS:
            yield from _blocks(child, f"{container}{name}.")
        else:
            yield f"{container}{name}", child


def _container(name: str) -> str:
    return name.rpartition(".")[0]


def _is_below(name: str, layers: Sequence[str]) -> bool:
    return any(name == layer or name.startswith(f"{layer}.") for layer in layers)


def _has_weights(block: nn.Module) -> bool:
    return any(True for _ in block.parameters())


def _reduces(layer: nn.Module) -> bool:
    if isinstance(layer, STRIDED):
        return max(layer.stride if isinstance(layer.stride, tuple) else (layer.stride,)) > 1
    # Swin's, which joins neighbours by slicing.
    return type(layer).__name__.startswith("PatchMerging")
