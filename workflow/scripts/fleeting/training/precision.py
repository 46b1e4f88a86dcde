"""The arithmetic of a run: float32, TF32 or bfloat16, and the order in which it adds."""

import os
from contextlib import AbstractContextManager

import torch

from fleeting.training.recipe import Recipe

#: From this image size on, a CPU with instructions for bfloat16 trains faster in it than in
#: float32: at 224 pixels 1.1 (MobileNetV2) to 2.4 x (VGG-11), at 64 0.5 x (MobileNetV2) to 1.2 x
#: (ResNet50); benchmarks/precision.py, AVX-512 BF16, two cores, batch 16. Between these two nothing
#: was measured.
CPU_SIZE = 224
#: NVIDIA's Ampere and later multiply bfloat16 and TF32 in hardware.
TENSOR_CORES = (8, 0)


def configure_torch(recipe: Recipe) -> None:
    """Set this process up for a recipe, before it touches a device.

    The thread count comes from the recipe, never from Snakemake's `--cores`, since it decides in
    which order numbers are added.
    """
    torch.set_num_threads(recipe.threads)
    # Older cuBLAS is deterministic only with a workspace of fixed size, set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(recipe.deterministic)
    # Otherwise every new tensor would be filled first; nothing here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not recipe.deterministic


def choose(wanted: str, device: torch.device, size: int) -> str:
    """The precision that a run uses.

    Args:
        wanted: the config's `precision`: `fp32`, `tf32`, `bf16` or `auto`.
        device: where the run trains.
        size: the side of its images in pixels.

    Returns:
        `fp32`, `tf32` or `bf16`. TF32 is NVIDIA's: elsewhere `tf32` means float32.
    """
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= TENSOR_CORES
        if wanted == "auto":
            return "bf16" if fast else "fp32"
        return "fp32" if wanted == "tf32" and not fast else wanted
    if wanted == "auto":
        return "bf16" if size >= CPU_SIZE and cpu_multiplies_bfloat16() else "fp32"
    return "fp32" if wanted == "tf32" else wanted


def cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has the instructions that `CPU_SIZE` was measured with (AVX-512 BF16)."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def allow_tf32(allowed: bool) -> None:
    """Let CUDA multiply float32 in TF32 or not; PyTorch's own default lets convolutions do so."""
    precision = "tf32" if allowed else "ieee"
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.fp32_precision = precision


def autocast(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Around the forward pass: bfloat16 where the precision says so.

    Weights, their gradients and the optimiser stay float32: an update at a rate of 1e-05 is far
    below bfloat16's resolution (Micikevicius et al., Mixed Precision Training, 2018, section 3.1).
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
