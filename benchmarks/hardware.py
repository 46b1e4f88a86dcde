"""What the device could do at best: its measured matrix products, and the arithmetic of a model."""

import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from fleeting.training.precision import choose, cpu_multiplies_bfloat16

TYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


def has_gpu() -> bool:
    """Whether the benchmarks run on a GPU."""
    return torch.cuda.is_available()


def multiplies_bfloat16() -> bool:
    """Whether there is a GPU, or a CPU with the instructions."""
    return has_gpu() or cpu_multiplies_bfloat16()


def precision_used(wanted: str, size: int) -> str:
    """What the trainer makes of a precision on this device."""
    return choose(wanted, torch.device("cuda" if has_gpu() else "cpu"), size)


def naive_precision(used: str) -> str:
    """What the naive loop multiplies in beside a trainer's precision: TF32 is a GPU's default."""
    return "tf32" if has_gpu() and used != "fp32" else "fp32"


@cache
def peak(precision: str, threads: int) -> float:
    """The best of several square matrix products, in operations a second (a product counts two)."""
    device = torch.device("cuda" if has_gpu() else "cpu")
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    side = 8192 if has_gpu() else 2048
    left, right = (torch.randn(side, side, device=device, dtype=TYPES[precision]) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        left @ right
        if has_gpu():
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


@cache
def operations(model: str, size: int) -> tuple[int, int]:
    """The operations of one image: a training step's, and the forward pass's alone."""
    network = torchvision.models.get_model(model, num_classes=6)
    image = torch.zeros(2, 3, size, size)
    with FlopCounterMode(display=False) as step:
        network(image).sum().backward()
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        network(image)
    return step.get_total_flops() // 2, forward.get_total_flops() // 2


def with_shares(row: dict[str, Any]) -> dict[str, Any]:
    """A measurement with the share of the peak that both sides reach, predictions included."""
    step, forward = operations(row["model"], row["size"])
    predicted = row["validation_images"] + row["test_images"] / row["epochs"]
    an_image = step + forward * predicted / row["train_images"]
    naive = row["naive_images_per_second"] * an_image / peak(row["naive_precision"], row["threads"])
    own = row["images_per_second"] * an_image / peak(row["precision_used"], row["threads"])
    return {**row, "naive_share_of_peak": round(naive, 3), "share_of_peak": round(own, 3)}
