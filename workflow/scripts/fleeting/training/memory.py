"""Out of memory: what a user can do about it, instead of an allocator's message."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fleeting.errors import UserError
from fleeting.training.trainer import Recipe

#: What PyTorch's allocator of the host, CUDA itself and its libraries say: they have no class of
#: their own for it.
SAID = ("can't allocate memory", "out of memory", "ALLOC_FAILED")


class OutOfMemory(UserError):
    """A run does not fit into its device's memory.

    Attributes:
        what: the run and the device, for a table.
    """

    def __init__(self, what: str, remedies: list[str]) -> None:
        """Keep what is wrong apart from the remedies, which the text has both."""
        super().__init__(f"{what}. Do one of these and run again: {'; '.join(remedies)}.")
        self.what = what


@contextmanager
def explained(
    model: str, recipe: Recipe, size: int, precision: str, device: str, learns: bool = True
) -> Iterator[None]:
    """Turn an allocation that failed within the block into an `OutOfMemory` with what to change.

    Args:
        model: the model's name.
        recipe: its batch size and accumulation.
        size: the side of the images in pixels.
        precision: what the run computes in.
        device: the device's name.
        learns: whether the run is trained. Testing takes less memory than that did, so that no
            change of the recipe, which would train it again, is called for.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        reason = str(error).split(". ")[0]
    except RuntimeError as error:
        # A recording that breaks off may end in an error of its own.
        within = isinstance(error.__context__, torch.OutOfMemoryError)
        if not within and not any(words in str(error) for words in SAID):
            raise
        reason = str(error).splitlines()[0]
    else:
        return
    remedies = list(_of_recipe(recipe, precision, device)) if learns else []
    if device.startswith("cpu"):
        remedies.append("start fewer jobs at a time (--cores)")
    else:
        remedies.append("let fewer jobs share the GPU (gpu_slots_per_device, --resources gpu=N)")
        remedies.append("end what else uses its memory (nvidia-smi lists it)")
    what = "" if learns else "testing "
    raise OutOfMemory(
        f"out of memory: {what}{model} with a batch of {recipe.batch_size} images of {size} pixels "
        f"in {precision} does not fit into {device} ({reason})",
        remedies,
    )


def _of_recipe(recipe: Recipe, precision: str, device: str) -> Iterator[str]:
    """What can be changed in the config's recipe."""
    # A part needs two images.
    if 4 * recipe.accumulation <= recipe.batch_size:
        yield (
            f"raise recipe.accumulation from {recipe.accumulation} to {2 * recipe.accumulation}: a "
            "batch is then computed in as many parts, and its size stays"
        )
    yield f"lower recipe.batch_size from {recipe.batch_size}"
    if precision != "bf16" and not device.startswith("cpu"):
        yield "set recipe.precision to bf16 (a GPU from Ampere on)"
