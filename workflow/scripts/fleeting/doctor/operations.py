"""The arithmetic of a network, and how much of it this machine does in a second."""

import time
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def operations(network: nn.Module, channels: int, size: Sequence[int]) -> tuple[int, int]:
    """The operations of one image: a training step's, and the forward pass's alone.

    Args:
        network: in training mode, for example an outline on the `meta` device: nothing is computed.
        channels: of its input.
        size: of its input, without the channels.
    """
    device = next(network.parameters()).device
    image = torch.zeros(2, channels, *size, device=device)
    with FlopCounterMode(display=False) as step:
        outputs = network(image)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        sum(output.sum() for output in outputs).backward()
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        network(image)
    return step.get_total_flops() // 2, forward.get_total_flops() // 2


def peak(side: int, rounds: int, dtype: torch.dtype = torch.float32) -> float:
    """The best of several square matrix products, in operations a second (a product counts two).

    On the GPU if there is one, with PyTorch's settings as they are.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        left @ right
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best
