"""A network's state dict: read from a file that is not trusted, and as bytes to write."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fleeting.errors import UserError


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, on the CPU; no code in it is run (`weights_only=True`).

    Raises:
        UserError: it is truncated, holds anything but dense tensors of real numbers by name, or
            would unpack to more than itself: PyTorch never compresses what it writes.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                    raise _unusable(path, "it is compressed, as PyTorch's own files never are")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except Exception as error:
        raise _unusable(path, str(error).splitlines()[0] if str(error) else repr(error)) from None
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
