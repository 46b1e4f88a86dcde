"""A user's weights file as a state dict, in whichever of the usual wrappings it was saved."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from fleeting.errors import UserError
from fleeting.training import state

#: Where training scripts keep the state dict beside epoch, optimiser and accuracy.
WRAPPERS = ("state_dict", "model_state_dict", "model")
#: What DataParallel and torch.compile put before every name.
PREFIXES = re.compile(r"((module|_orig_mod)\.)+")
#: What NumPy's numbers are pickled as: `np.max` leaves them in checkpoints, and they run no code.
_SCALAR = np.float64(0).__reduce__()[0]
_NUMBERS: list[Any] = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "bool")),
]


def read(path: Path) -> tuple[dict[str, torch.Tensor], list[str]]:
    """The tensors of a file by name, on the CPU, and what was unwrapped; no code in it is run.

    Read are PyTorch's files and safetensors; the state dict may be under a key of `WRAPPERS`, and
    its names may all begin with a prefix of `PREFIXES`.

    Raises:
        UserError: the file cannot be loaded safely, or holds no state dict; the text says how to
            convert it.
    """
    if path.suffix.casefold() == ".safetensors":
        return _without_prefix(_safetensors(path), [])
    with torch.serialization.safe_globals(_NUMBERS):
        try:
            held = state.load(path)
        except state.HoldsObjects as error:
            raise UserError(f"{error}. {_conversion(path)}") from None
    done = []
    # No deeper: a dict can hold itself.
    for _ in WRAPPERS:
        if not isinstance(held, dict):
            break
        key = next((key for key in WRAPPERS if isinstance(held.get(key), dict)), None)
        if key is None:
            break
        held = held[key]
        done.append(f"taken from under {key!r}")
    return _without_prefix(state.tensors(path, held), done)


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path, device="cpu")
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}") from None


def _without_prefix(
    held: dict[str, torch.Tensor], done: list[str]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Take a prefix off that every name has."""
    matches = [PREFIXES.match(name) for name in held]
    if not held or not all(matches):
        return held, done
    plain = {PREFIXES.sub("", name, count=1): tensor for name, tensor in held.items()}
    return plain, [*done, f"{matches[0] and matches[0][0]} taken off every name"]


def _conversion(path: Path) -> str:
    return (
        "Such a file can run any code when it is loaded. If you trust it, convert it once, where "
        "the code that wrote it is at hand:\n"
        f"  import torch; held = torch.load({str(path)!r}, 'cpu', weights_only=False)\n"
        f"  held = next((held[key] for key in {WRAPPERS} if key in held), held) "
        "if isinstance(held, dict) else held\n"
        "  torch.save(held if isinstance(held, dict) else held.state_dict(), "
        f"{str(path.with_name(f'{path.stem}_state.pth'))!r})\n"
        "and name the new file under recipe.weights"
    )
