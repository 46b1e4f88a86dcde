"""Out of memory: an error that says what to do about it, instead of an allocator's message."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleeting.errors import UserError
from fleeting.training.recipe import Recipe

#: Texts of the errors that PyTorch's host allocator, CUDA and its libraries raise when they run out
#: of memory: none of them has an exception class for it.
MESSAGES = ("can't allocate memory", "out of memory", "ALLOC_FAILED")


class OutOfMemory(UserError):
    """A run does not fit into its device's memory.

    Attributes:
        problem: the run and the device, without the remedies, for a table.
    """

    def __init__(self, problem: str, remedies: list[str]) -> None:
        """Keep the problem apart from the remedies; the text has both."""
        super().__init__(
            f"{problem}. Do one of these and rerun the same command: {'; '.join(remedies)}."
        )
        self.problem = problem


@contextmanager
def explained(model: str, recipe: Recipe, size: int, precision: str, device: str) -> Iterator[None]:
    """Turn an allocation that failed within the block into an `OutOfMemory` with what to change.

    Args:
        model: the network's name.
        recipe: its batch size and accumulation.
        size: the height of the examples in pixels.
        precision: what the run computes in.
        device: the device's name.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        reason = str(error).split(". ")[0]
    except RuntimeError as error:
        # Recording a CUDA graph may raise an error of its own when it runs out of memory.
        within = isinstance(error.__context__, torch.OutOfMemoryError)
        if not within and not any(message in str(error) for message in MESSAGES):
            raise
        reason = str(error).splitlines()[0]
    else:
        return
    raise OutOfMemory(
        f"out of memory: {model} with a batch of {recipe.batch_size} examples of {size} pixels "
        f"in {precision} does not fit into {device} ({reason})",
        list(_remedies(recipe, precision, device)),
    )


def _remedies(recipe: Recipe, precision: str, device: str) -> Iterator[str]:
    # Every part needs two examples.
    if 4 * recipe.accumulation <= recipe.batch_size:
        yield (
            f"raise recipe.accumulation from {recipe.accumulation} to {2 * recipe.accumulation}: a "
            "batch is then computed in as many parts, and its size stays"
        )
    yield f"lower recipe.batch_size from {recipe.batch_size}"
    if device.startswith("cpu"):
        yield "start fewer jobs at a time (--cores)"
        return
    if precision != "bf16":
        yield "set recipe.precision to bf16 (a GPU from Ampere on)"
    yield "let fewer jobs share the GPU (gpu_slots_per_device, --resources gpu=N)"
    yield "end what else uses its memory (nvidia-smi lists it)"
