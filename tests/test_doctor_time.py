"""How long the doctor says that a grid takes, and from what."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting.config import Config, complete
from fleeting.doctor import measure, time
from fleeting.doctor.classes import Sizes
from fleeting.doctor.findings import Finding
from fleeting.doctor.machine import Devices
from fleeting.doctor.measure import Case, Speed
from fleeting.errors import UserError

SIZES = {"paper": Sizes(classes=6, train=360, validation=90, test=150, counted=True)}
CPU = Devices()
GPU = Devices((("NVIDIA GeForce GTX 1060", 6_000_000_000),))


def config_of(folder: Path, **more: Any) -> Config:
    block = {"databases": {"samm": {"root": "x"}}, "results": str(folder / "results")}
    changed = {key: more.pop(key) for key in ("recipe", "grid") if key in more}
    return complete({**block, "experiments": {"paper": changed}, **more})


def by_level(findings: list[Finding], level: str) -> list[str]:
    return [finding.text for finding in findings if finding.level == level]


def fake(monkeypatch: pytest.MonkeyPatch, seconds: float, peak: int = 10**9) -> list[str]:
    """Every image takes so many seconds; returns the models that were measured."""
    models = []

    def speed(case: Case, device: torch.device) -> Speed:
        models.append(case.model)
        return Speed(seconds, peak, "fp32")

    monkeypatch.setattr(time, "measure", speed)
    return models


def test_operations_are_those_that_the_literature_states() -> None:
    """1.8 and 11.5 thousand million multiplications at 224 pixels; each counts two."""
    assert measure.operations("resnet18", 224) == pytest.approx(2 * 1.81e9, rel=0.01)
    assert measure.operations("resnet152", 224) == pytest.approx(2 * 11.51e9, rel=0.01)


def test_a_step_is_measured_by_the_trainer(tmp_path: Path) -> None:
    recipe = config_of(tmp_path)["experiments"]["paper"]["recipe"]
    case = Case("resnet18", 32, 6, 0.25, {**recipe, "threads": 1, "batch_size": 4})
    speed = measure.measure(case, torch.device("cpu"))
    assert 0 < speed.seconds < 10
    assert speed.peak_bytes > 50_000_000, "PyTorch alone is more"
    assert speed.precision == "fp32"


def test_a_measurement_stops_when_it_is_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = config_of(tmp_path)["experiments"]["paper"]["recipe"]
    case = Case("resnet18", 32, 6, 0.25, {**recipe, "threads": 1, "batch_size": 2})
    monkeypatch.setattr(measure, "PATIENCE", 0.0)
    monkeypatch.setitem(measure.MEASURED, "cpu", 10**9)
    assert measure.measure(case, torch.device("cpu")).seconds > 0


def test_every_model_is_measured_once_and_the_grid_projected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = fake(monkeypatch, 0.1)
    experiments = {"paper": {}, "again": {"based_on": "paper", "recipe": {"epochs": 200}}}
    config = config_of(tmp_path, experiments=experiments)
    sizes = dict.fromkeys(experiments, SIZES["paper"])
    found = list(time.look(config, sizes, CPU))
    assert models == ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    paper, again = by_level(found, "note")
    # 150 runs x 100 epochs x 360 images x 0.1 s are 6.25 days.
    assert "150 runs of 100 epochs over 360 training images take about 6.2 days" in paper
    assert "take about 12 days" in again or "take about 13 days" in again
    assert "rests on" in found[-1].text


def test_what_does_not_fit_into_the_time_is_estimated_from_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = fake(monkeypatch, 1.0)
    monkeypatch.setattr(time, "BUDGET", 50.0)
    text = by_level(list(time.look(config_of(tmp_path), SIZES, CPU)), "fine")[0]
    assert models == ["resnet18"], "3 steps of 16 images of resnet34 take 97 s"
    ratio = measure.operations("resnet152", 224) / measure.operations("resnet18", 224)
    (line,) = [line for line in text.splitlines() if line.startswith("resnet152")]
    assert f"{1 / ratio:.1f} images a second" in line
    assert "estimated from resnet18" in line


def test_assumed_sizes_and_runs_that_are_there_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, 0.001)
    folder = tmp_path / "results/experiments/paper/runs/resnet18/lr1e-03/repeat1/fold1"
    folder.mkdir(parents=True)
    (folder / "run.json").touch()
    sizes = {"paper": Sizes(6, 360, 90, 150, counted=False)}
    text = by_level(list(time.look(config_of(tmp_path), sizes, CPU)), "fine")[1]
    assert "360 training images (full classes)" in text
    assert "1 of the 150 runs are there" in text


def test_a_model_that_does_not_fit_is_a_problem_and_the_others_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def speed(case: Case, device: torch.device) -> Speed:
        if case.model == "resnet34":
            raise UserError("out of memory: resnet34")
        return Speed(0.01, 10**9, "fp32")

    monkeypatch.setattr(time, "measure", speed)
    config = config_of(tmp_path, grid={"models": ["resnet18", "resnet34", "resnet50"]})
    found = list(time.look(config, SIZES, GPU))
    assert by_level(found, "problem") == ["out of memory: resnet34"]
    assert not any("150 runs" in finding.text for finding in found), "no total without it"


def test_slots_that_do_not_fit_into_a_gpu_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, 0.001, peak=2_000_000_000)
    found = list(time.look(config_of(tmp_path, gpu_slots_per_device=4), SIZES, GPU))
    (found_problem,) = [finding for finding in found if finding.level == "problem"]
    assert "2.5 GB of NVIDIA GeForce GTX 1060's 6 GB" in found_problem.text
    assert "gpu_slots_per_device to 2" in found_problem.remedy
    config = config_of(tmp_path, gpu_slots_per_device=2)
    assert not by_level(list(time.look(config, SIZES, GPU)), "problem")


def test_jobs_that_do_not_fit_into_the_memory_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, 0.001, peak=3_000_000_000)
    monkeypatch.setattr(time, "cores", lambda: 8)
    monkeypatch.setattr(time, "memory", lambda: 8_000_000_000)
    (text,) = by_level(list(time.look(config_of(tmp_path), SIZES, CPU)), "note")
    assert "4 of them at once, as --cores 8 would start" in text
