"""The benchmarks start this project by hand: with configs and jobs that it takes."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from fleeting.config import complete
from fleeting.training.trainer import Recipe

ROOT = Path(__file__).parents[1]


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.syspath_prepend(str(ROOT / "workflow" / "scripts"))
    import train

    return train


def test_the_benchmark_starts_a_training_job(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import training

    started = []
    monkeypatch.setattr(scripts, "run", lambda *arguments: started.append(arguments))
    case = training.Case("resnet18", 96, 16, epochs=3, threads=2)
    command = training.job(case, tmp_path, "fp32")
    assert command[1] == ROOT / "workflow" / "scripts" / "train.py"
    monkeypatch.setattr(sys, "argv", [str(part) for part in command[1:]])
    scripts.main()
    ((run, slots, _),) = started
    assert run.name["model"] == "resnet18"
    assert Recipe.of(run.recipe).epochs == 3
    assert run.output == tmp_path / "run"
    assert slots == 1


def test_the_benchmarks_projects_have_a_config_that_the_workflow_takes(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import planning
    import scratch

    monkeypatch.setattr(scratch, "ROOT", tmp_path)
    config = complete(planning.project("planning/new"))
    (experiment,) = config["experiments"].values()
    grid = experiment["grid"]
    assert len(grid["models"]) * len(grid["lrs"]) * grid["repeats"] == 150
