"""What the device could do at best: its measured matrix products, and the arithmetic of a model."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from fleeting.doctor import operations as arithmetic
from fleeting.training.architecture import COLOURS, architecture
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
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    side = 8192 if has_gpu() else 2048
    return arithmetic.peak(side, rounds=10, dtype=TYPES[precision])


@cache
def operations(model: str, size: int) -> tuple[int, int]:
    """The operations of one image: a training step's, and the forward pass's alone."""
    network = architecture(model, COLOURS, (size, size), pretrained=False).outline(6)
    return arithmetic.operations(network, len(COLOURS), (size, size))


def with_shares(row: dict[str, Any]) -> dict[str, Any]:
    """A measurement with the share of the peak that both sides reach, predictions included."""
    step, forward = operations(row["model"], row["size"])
    predicted = row["validation_images"] + row["test_images"] / row["epochs"]
    an_image = step + forward * predicted / row["train_images"]
    naive = row["naive_images_per_second"] * an_image / peak(row["naive_precision"], row["threads"])
    own = row["images_per_second"] * an_image / peak(row["precision_used"], row["threads"])
    return {**row, "naive_share_of_peak": round(naive, 3), "share_of_peak": round(own, 3)}
