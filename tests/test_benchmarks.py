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


def test_a_process_has_a_peak_of_its_own(scripts: ModuleType, tmp_path: Path) -> None:
    """Not that of the process that started it, which Linux would say."""
    import measure

    ballast = bytearray(b"1") * 2**28
    small = measure.watch([sys.executable, "-c", "print('said')"], tmp_path, tmp_path / "s.log")
    code = "x = bytearray(b'1') * 2**27"
    large = measure.watch([sys.executable, "-c", code], tmp_path, tmp_path / "l.log")
    assert small["peak_bytes"] < 2**26
    assert 2**27 < large["peak_bytes"] < len(ballast)
    assert small["seconds"] > 0
    assert (tmp_path / "s.log").read_text() == "said\n"
    with pytest.raises(RuntimeError, match="exit"):
        measure.watch([sys.executable, "-c", "exit('why')"], tmp_path, tmp_path / "f.log")
