"""The benchmarks start this project by hand: with configs and jobs that it takes."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from fleeting.config.loading import load
from small_runs import small_split

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def write_case(results: Path) -> Path:
    """An experiment of 32 pixels, its input and its images, where the benchmark has them."""
    folder = results / "experiments" / "size32"
    folder.mkdir(parents=True)
    small_split(folder)
    (folder / "input" / "d.tsv").rename(folder / "input" / "casme2.tsv")
    (folder / "input" / "d.npy").rename(folder / "input" / "casme2.npy")
    (results / "inputs").mkdir()
    (folder / "input").rename(results / "inputs" / "size32")
    for part, count in {"train": 6, "validation": 3, "test": 2}.items():
        for label in ("bright", "dark"):
            place = folder / "images" / "fold1" / part / label
            place.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(place / f"{number}.png"), np.zeros((32, 32, 3), np.uint8))
    return folder


def test_both_sides_of_a_case_train_and_predict_the_same_images(tmp_path: Path) -> None:
    """The processes that are timed, at a tiny size."""
    import hardware
    import training

    folder = write_case(tmp_path)
    case = training.Case("resnet18", 32, 4, epochs=1, threads=1)
    (row,) = training.compare(case, folder, ["fp32"], rounds=1, workers=[0])
    assert [row[f"{part}_images"] for part in training.PARTS] == [12, 6, 4]
    assert row["ratio"] > 0
    assert row["peak_host_bytes"] > 2**26
    own = torch.load(folder / "run" / "models" / "fold1.pt", weights_only=True)
    other = torch.load(folder / "naive.pt", weights_only=True)
    assert {name: value.shape for name, value in own.items()} == {
        name: value.shape for name, value in other.items()
    }
    assert len((folder / "run" / "predictions.tsv").read_text().splitlines()) == 1 + 4
    assert not any((folder / "checkpoints").glob("*.pt"))
    shares = hardware.with_shares(row)
    assert 0 < shares["share_of_peak"] < 1


def test_a_share_of_the_peak_counts_every_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    import hardware

    monkeypatch.setattr(hardware, "operations", lambda *_: (30, 10))
    monkeypatch.setattr(hardware, "peak", lambda *_: 1000)
    row = {"model": "m", "size": 32, "threads": 1, "epochs": 4}
    row |= {"precision_used": "fp32", "naive_precision": "fp32"}
    row |= {"train_images": 10, "validation_images": 5, "test_images": 20}
    row |= {"images_per_second": 20.0, "naive_images_per_second": 10.0}
    # 4 epochs: 40 steps of 30, then 20 + 20 predictions of 10, so 40 an image that is trained on.
    found = hardware.with_shares(row)
    assert (found["share_of_peak"], found["naive_share_of_peak"]) == (0.8, 0.4)


def test_the_benchmarks_projects_have_a_config_that_the_workflow_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import cropping
    import flow
    import planning
    import scratch

    monkeypatch.setattr(scratch, "ROOT", tmp_path)
    config = load(planning.project("planning/new"))
    (experiment,) = config["experiments"].values()
    grid = experiment["grid"]
    assert len(grid["models"]) * len(grid["lrs"]) * grid["repeats"] == 150
    assert load(cropping.CONFIG)["crops"].keys() == {"clip", "frame"}
    assert load(flow.project(1))["inputs"][flow.INPUT]["algorithm"]["kind"] == "tvl1"


@pytest.mark.parametrize("changed", [False, True])
def test_parts_must_predict_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changed: bool
) -> None:
    import leave_one_out
    import scratch

    monkeypatch.setattr(scratch, "ROOT", tmp_path)
    monkeypatch.setattr(leave_one_out, "write_database", lambda folder: None)
    monkeypatch.setattr(leave_one_out, "plain_seconds", lambda epochs: 3.0)
    monkeypatch.setattr(leave_one_out, "CLIPS", 4)
    lines = ["1\ta\tnegative", "2\tb\tpositive", "3\tc\tpositive", "4\td\tsurprise"]

    def snakemake(config: dict[str, Any], target: str, *_: str) -> str:
        ((name, block),) = load(config)["experiments"].items()
        if target == "training":
            parts = block["parts"]
            for part in range(1, parts + 1):
                folder = tmp_path / config["results"] / "experiments" / name
                table = folder / f"runs/small/lr1e-02/repeat1/part{part}/predictions.tsv"
                table.parent.mkdir(parents=True)
                own = lines[part - 1 :: parts]
                if changed and part == 2:
                    own = [line.replace("positive", "negative") for line in own]
                table.write_text("\n".join(["fold\texample\tpredicted", *own]) + "\n")
        return ""

    monkeypatch.setattr(scratch, "snakemake", snakemake)
    output = tmp_path / "found.json"
    monkeypatch.setattr(sys, "argv", ["leave_one_out.py", "--rounds", "2", "--output", str(output)])
    if changed:
        with pytest.raises(RuntimeError, match="not alike"):
            leave_one_out.main()
    else:
        leave_one_out.main()
        (found,) = json.loads(output.read_text())
        assert found["folds"] == 68
        for ratio in found["two parts against"].values():
            assert ratio["ratio_low"] <= ratio["ratio"] <= ratio["ratio_high"]


def test_a_process_has_a_peak_of_its_own(tmp_path: Path) -> None:
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
    said |= {"precision": precision, "device": "cpu"}
    said |= {"train_images": 30, "validation_images": 10, "test_images": 12}
    return float(side.add(said, {"seconds": taken + 3, "peak_bytes": 2**20}))


def test_a_measurement_is_of_rounds_and_states_what_others_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    assert "1 epochs; 12 test images, once." in written.with_suffix(".md").read_text()
    assert written.with_suffix(".png").stat().st_size > 1000


def test_the_committed_table_is_of_the_committed_measurements() -> None:
    import show

    results = ROOT / "benchmarks" / "results"
    rows = json.loads((results / "latest.json").read_text())
    assert all(row.keys() >= STATED for row in rows)
    assert (results / "latest.md").read_text() == show.table(rows)


def test_no_round_is_begun_that_would_pass_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_grid_is_projected_from_two_numbers_of_epochs() -> None:
    import grid

    assert grid.whole({5: 40.0, 20: 55.0}, 100) == 135, "35 for what is done once, 1 an epoch"
    assert grid.whole({100: 77.0}, 100) == 77
    with pytest.raises(RuntimeError, match="took no longer"):
        grid.whole({5: 40.0, 20: 39.0}, 100)


def test_what_needs_a_gpu_is_called_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    monkeypatch: pytest.MonkeyPatch, way: str
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
