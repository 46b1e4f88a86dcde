"""Out of memory: what a user can do about it, instead of an allocator's message."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleeting.errors import UserError
from fleeting.training.trainer import Recipe

#: What PyTorch's allocator of the host, CUDA itself and its libraries say: they have no class of
#: their own for it.
SAID = ("can't allocate memory", "out of memory", "ALLOC_FAILED")


@contextmanager
def explained(model: str, recipe: Recipe, size: int, precision: str, device: str) -> Iterator[None]:
    """Turn an allocation that failed within the block into a `UserError` that says what to change.

    Args:
        model: the model's name.
        recipe: its batch size and accumulation.
        size: the side of the images in pixels.
        precision: what the run trains in.
        device: the device's name.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        reason = str(error).split(". ")[0]
    except RuntimeError as error:
        if not any(words in str(error) for words in SAID):
            raise
        reason = str(error).splitlines()[0]
    else:
        return
    remedies = [
        f"raise recipe.accumulation from {recipe.accumulation} to {2 * recipe.accumulation}: a "
        "batch is then computed in as many parts, and its size stays",
        f"lower recipe.batch_size from {recipe.batch_size}",
    ]
    if device.startswith("cpu"):
        remedies.append("start fewer jobs at a time (--cores)")
    else:
        if precision != "bf16":
            remedies.append("set recipe.precision to bf16 (a GPU from Ampere on)")
        remedies.append("let fewer jobs share the GPU (gpu_slots_per_device)")
    raise UserError(
        f"out of memory: {model} with a batch of {recipe.batch_size} images of {size} pixels in "
        f"{precision} does not fit into {device} ({reason}). Change one of these in the config and "
        f"run again: {'; '.join(remedies)}."
    )
