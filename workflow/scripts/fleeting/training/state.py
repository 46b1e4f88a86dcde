"""A network's state dict: read from a file that is not trusted, and as bytes to write."""

import io
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fleeting.errors import UserError


class HoldsObjects(UserError):
    """A file that holds objects which may run code when they are loaded."""


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, on the CPU; see `load` and `tensors` for errors."""
    return tensors(path, load(path))


def load(path: Path) -> object:
    """What a file holds, on the CPU; no code in it is run (`weights_only=True`).

    Raises:
        UserError: it is truncated, holds objects that may run code (`HoldsObjects`), or would
            unpack to more than itself: PyTorch never compresses what it writes.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                    raise _unusable(path, "it is compressed, as PyTorch's own files never are")
        held: object = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        # PyTorch's own advice is longer than a terminal.
        found = re.search(r"GLOBAL (\S+)", str(error))
        if found:
            raise HoldsObjects(_unusable(path, f"it holds {found[1]}")) from None
        raise _unusable(path, str(error).splitlines()[0]) from None
    except Exception as error:
        raise _unusable(path, str(error).splitlines()[0] if str(error) else repr(error)) from None
    return held


def tensors(path: Path, state: object) -> dict[str, torch.Tensor]:
    """What a file holds, once it is known to be dense tensors of real numbers by name.

    Raises:
        UserError: it is anything else.
    """
    if not isinstance(state, dict):
        raise _unusable(path, f"a state dict is wanted, not a {type(state).__name__}")
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise _unusable(path, f"{name!r} is not a tensor with a name")
        if tensor.layout != torch.strided or tensor.is_meta or tensor.is_complex():
            raise _unusable(path, f"{name!r} is not a dense tensor of real numbers")
    return state


def as_bytes(state: Mapping[str, Any]) -> bytes:
    """The content of a file that `torch.load` reads.

    The caller writes them: on a full disk, `torch.save` to a file raises an error of its archive
    that does not say so.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is not a weights file that can be loaded safely: {reason}")
