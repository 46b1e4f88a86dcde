"""The benchmarks start this project by hand: with configs and jobs that it takes."""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from fleeting.training.trainer import Recipe

from fleeting.config import complete

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
    ((run, slots, *_),) = started
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


#: What others read of each measurement.
STATED = {"model", "size", "batch_size", "precision", "device", "ratio", "ratio_low", "ratio_high"}
STATED |= {"naive_images_per_second", "images_per_second"}


def process(seconds: dict[str, list[float]], name: str, side: Any, precision: str) -> float:
    """One that was never started: what it would have said, of 40 images."""
    taken = seconds[name].pop(0)
    said = {"seconds": taken, "images_per_second": 40 / taken, "peak_device_bytes": None}
    said |= {"precision": precision, "device": "cpu", "train_images": 30, "validation_images": 10}
    return float(side.add(said, {"seconds": taken + 3, "peak_bytes": 2**20}))


def test_a_measurement_is_of_rounds_and_states_what_others_read(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a CPU where `auto` is bfloat16: the rounds' own ratios, each way compared once."""
    import hardware
    import measure
    import show
    import training

    seconds = {"0": [8.0, 16.0, 8.0], "2": [9.0, 9.0, 9.0]}
    seconds |= {"fp32": [4.0, 4.0, 8.0], "bf16": [2.0, 2.0, 2.0]}
    used = {"fp32": "fp32", "bf16": "bf16", "auto": "bf16"}
    monkeypatch.setattr(hardware, "precision_used", lambda name, _: used[name])
    monkeypatch.setattr(hardware, "has_gpu", lambda: False)
    monkeypatch.setattr(
        training, "naive", lambda *given: process(seconds, str(given[3]), given[-1], given[2])
    )
    monkeypatch.setattr(
        training, "trainer", lambda *given: process(seconds, given[2], given[-1], given[2])
    )
    case = training.Case("resnet18", 32, 8, epochs=1, threads=1)
    found = training.compare(case, tmp_path, ["fp32", "bf16", "auto"], 3, [0, 2])
    assert not any(seconds.values()), "auto and bf16 are one process a round"
    ratios = [(row["ratio"], row["ratio_low"], row["ratio_high"]) for row in found]
    assert ratios == [(2, 1, 4), (4, 4, 8), (4, 4, 8)]
    assert [row["naive_workers"] for row in found] == [0, 0, 0], "the faster, as a rule"
    assert [row["seconds_outside_loop"] for row in found] == [3, 3, 3]
    assert all(row.keys() >= STATED for row in found)
    written = tmp_path / "latest.json"
    shares = {"naive_share_of_peak": 0.1, "share_of_peak": 0.2}
    measure.write([{**row, **shares} for row in found], written)
    show.write(written)
    assert "| auto | bf16 | fp32 | 5.0 | 20.0 | 4.00 | 4.00 to 8.00 |" in (
        written.with_suffix(".md").read_text()
    )
    assert written.with_suffix(".png").stat().st_size > 1000


def test_the_committed_table_is_of_the_committed_measurements(scripts: ModuleType) -> None:
    import show

    results = ROOT / "benchmarks" / "results"
    rows = json.loads((results / "latest.json").read_text())
    assert all(row.keys() >= STATED for row in rows)
    assert (results / "latest.md").read_text() == show.table(rows)


def test_no_round_is_begun_that_would_pass_the_limit(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two variants of 5 seconds each: 20 seconds after the second round, 30 after the third."""
    import measure

    clock = [0.0]

    def work() -> float:
        clock[0] += 5
        return 5.0

    monkeypatch.setattr(measure.time, "monotonic", lambda: clock[0])
    rounds = [
        len(measure.alternate({"a": work, "b": work}, 4, limit)["a"]) for limit in (1, 29, 30, 99)
    ]
    assert rounds == [1, 2, 3, 4]


def test_a_grid_is_projected_from_two_numbers_of_epochs(scripts: ModuleType) -> None:
    import grid

    assert grid.whole({5: 40.0, 20: 55.0}, 100) == 135, "35 for what is done once, 1 an epoch"
    assert grid.whole({100: 77.0}, 100) == 77
    with pytest.raises(RuntimeError, match="took no longer"):
        grid.whole({5: 40.0, 20: 39.0}, 100)


def test_the_loop_beside_it_runs(
    scripts: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import naive

    for part in ("train", "validation"):
        for label in ("a", "b"):
            folder = tmp_path / part / label
            folder.mkdir(parents=True)
            cv2.imwrite(str(folder / "1.png"), np.zeros((32, 32, 3), np.uint8))
    options = {"folder": tmp_path, "model": "resnet18", "batch-size": 2, "epochs": 2, "workers": 0}
    options |= {"threads": 1, "precision": "fp32"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["naive.py", *words])
        naive.main()
    said = json.loads(capsys.readouterr().out)
    assert said["images_per_second"] == pytest.approx(4 / said["seconds"])


def test_what_needs_a_gpu_is_called_as_it_can_be(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No GPU is wanted to see that the scripts take their arguments."""
    import gpu
    import grid
    import training

    called: list[list[str]] = []
    monkeypatch.setattr(gpu, "ran", lambda words, _: called.append(words) or True)
    with pytest.raises(SystemExit) as end:
        gpu.main()
    assert end.value.code == 0
    assert sum(seconds for _, seconds in gpu.STEPS.values()) <= 600

    class Begun(Exception):
        pass

    def begin(*_: Any, **__: Any) -> None:
        raise Begun

    monkeypatch.setattr(grid.scratch, "snakemake", begin)
    for script, *words in called[1:]:
        main = {"grid.py": grid, "training.py": training}[Path(script).name].main
        monkeypatch.setattr(sys, "argv", [script, *words])
        with pytest.raises(Begun):
            main()
    assert all(Path(word).is_file() for word in called[0][-2:])


@pytest.mark.parametrize("way", ["step by step", "recorded"])
def test_ways_of_giving_steps_to_a_gpu_are_compared_through_the_trainer(
    scripts: ModuleType, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """On a CPU they are one and the same, and only the script is tried."""
    import capture

    monkeypatch.setattr(capture, "TRAIN_IMAGES", 18)
    monkeypatch.setattr(capture, "VALIDATION_IMAGES", 6)
    monkeypatch.setattr(capture.time, "perf_counter", iter([0, 10, 15, 16, 19, 20]).__next__)
    cpu = torch.device("cpu")
    row = capture.variant("resnet18", "fp32", "channels last", way, 32, 5, cpu)
    assert "error" not in row
    assert row["seconds_an_epoch"] == 1
    assert row["seconds_of_100_epochs"] == 10 + 5 + 98


def test_a_step_that_takes_too_long_is_ended_with_what_it_started(
    scripts: ModuleType, tmp_path: Path
) -> None:
    import gpu

    assert gpu.ran(["-c", "pass"], 60)
    assert not gpu.ran(["-c", "exit(1)"], 60)
    found = tmp_path / "child"
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '600'])\n"
    code += f"open({str(found)!r}, 'w').write(str(p.pid)); p.wait()"
    start = time.monotonic()
    assert not gpu.ran(["-c", code], 3)
    while alive(int(found.read_text())):
        assert time.monotonic() - start < 60
        time.sleep(0.05)


def alive(process: int) -> bool:
    listed = ["ps", "-o", "stat=", "-p", str(process)]
    state = subprocess.run(listed, capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")
