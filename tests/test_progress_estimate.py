"""What a grid takes: from finished runs, from operations, and against the disk."""

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting.doctor import disk, operations
from fleeting.errors import UserError
from fleeting.files import write_text
from fleeting.paths import run_folder, sha256
from fleeting.progress import estimate
from fleeting.training.architecture import COLOURS, architecture
from fleeting.training.recipe import Recipe
from small_runs import small_split

NETWORKS = {name: name for name in ("small", "resnet18")}
GRID = {"models": list(NETWORKS), "lrs": ["1e-02", "1e-03"], "repeats": 2, "networks": NETWORKS}
RECIPE = Recipe.model_validate({"weights": "none", "epochs": 10, "threads": 1})
#: The training images of the one fold of `small_split`.
TRAINED = 12


def give(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = namedtuple("usage", ["free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(free))


def run(results: Path, **changes: Any) -> dict[str, Any]:
    """The estimate that the job writes."""
    given: dict[str, Any] = {
        "results": results / "results",
        "experiment": "e",
        "grid": GRID,
        "parts": 1,
        "recipe": RECIPE,
        "trace": False,
        "keep_models": "all",
        "gate": results / "split.json",
        "split": results / "split.tsv",
        "folds": results / "folds.tsv",
        "output": results / "estimate.json",
    }
    estimate.run(**{**given, **changes})
    return dict(json.loads((results / "estimate.json").read_text()))


def finish(results: Path, model: str, lr: str, seconds: float, **changes: Any) -> Path:
    """A finished first repeat, in the results folder below `results`."""
    folder = run_folder(results / "results", "e", model, lr, 1, 1)
    written = {
        "seconds": seconds,
        "failed": None,
        "settings": RECIPE.model_dump(mode="json"),
        "split_sha256": sha256(results / "split.json"),
        "train_examples": {"1": TRAINED},
        "epochs": {"1": RECIPE.epochs},
        **changes,
    }
    write_text(json.dumps(written), folder / "run.json")
    return folder


def test_finished_runs_give_the_time_of_the_others(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(results, "small", "1e-02", 10)
    finish(results, "small", "1e-03", 30)
    finish(results, "resnet18", "1e-02", 600)
    found = run(results)
    assert (found["jobs"], found["left"], found["rough"]) == (8, 5, [])
    assert found["seconds"] == 2 * 20 + 3 * 600
    said = capsys.readouterr().out
    assert said.startswith("Note: e: 5 of 8 training jobs remain, about 31 min one at a time; ")
    assert "rough" not in said


def test_runs_of_other_settings_remain_and_still_give_their_time(results: Path) -> None:
    """The time of other numbers of epochs or images is scaled to those of now."""
    shorter = {**RECIPE.model_dump(mode="json"), "epochs": 1}
    finish(results, "small", "1e-02", 2, settings=shorter, epochs={"1": 1})
    finish(results, "resnet18", "1e-02", 5, train_examples={"1": TRAINED // 2})
    finish(results, "resnet18", "1e-03", 5, train_examples={"1": TRAINED // 2}, split_sha256="x")
    found = run(results)
    assert (found["left"], found["rough"]) == (7, [])
    assert found["seconds"] == 4 * 20 + 3 * 10


def test_a_failed_run_is_done_and_measures_nothing(results: Path) -> None:
    finish(results, "small", "1e-02", 1000, failed="the loss is NaN")
    finish(results, "small", "1e-03", 10)
    finish(results, "resnet18", "1e-02", 10)
    assert run(results)["seconds"] == 2 * 10 + 3 * 10


def test_without_a_finished_run_operations_give_it_roughly(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(estimate, "peak", lambda **_: 1e9)
    finish(results, "resnet18", "1e-02", 600)
    found = run(results)
    assert (found["left"], found["rough"]) == (7, ["small"])
    step, forward = operations.operations(
        architecture("small", COLOURS, (32, 32), pretrained=False).outline(2), 3, (32, 32)
    )
    # 10 epochs of 12 training and 6 validation images, four times.
    seconds = 4 * 10 * (12 * step + 6 * forward) / (estimate.SHARE_OF_PEAK * 1e9)
    assert found["seconds"] == pytest.approx(3 * 600 + seconds, abs=0.1)
    said = capsys.readouterr().out
    assert "(rough: from the operations of small and the speed of this machine" in said


def test_parts_share_the_folds(tmp_path: Path) -> None:
    small_split(tmp_path, folds=5)
    whole = estimate.read_images(tmp_path / "split.tsv", tmp_path / "folds.tsv", RECIPE.balance)
    assert (whole.train.total(), whole.folds(2)) == (66, [1, 2, 3, 4, 5])
    block = {"grid": GRID, "parts": 2}
    jobs = estimate.layout.training_jobs({"experiments": {"e": block}}, "e")[:2]
    assert [whole.of(job, 2) for job in jobs] == [
        sum(whole.train[fold] for fold in (1, 3, 5)),
        sum(whole.train[fold] for fold in (2, 4)),
    ]


def test_balanced_runs_are_counted_as_they_train(results: Path) -> None:
    """The time of an image is that of a balanced one, and so are the images."""
    balance = {"kind": "cap", "examples": 2}
    capped = Recipe.model_validate({**RECIPE.model_dump(mode="json"), "balance": balance})
    settings = capped.model_dump(mode="json")
    for model in GRID["models"]:
        finish(results, model, "1e-02", 10, settings=settings, train_examples={"1": 4})
    found = run(results, recipe=capped)
    assert (found["left"], found["rough"], found["seconds"]) == (6, [], 60)


def test_traces_take_space(results: Path) -> None:
    """The four runs of each model predict four test examples after each of ten epochs."""
    without, traced = (run(results, trace=trace)["space"] for trace in (False, True))
    predictions = 2 * 4 * 4 * 10
    assert traced["models and traces"] - without["models"] == disk.TRACE_ROW_BYTES * predictions


def test_a_disk_that_is_too_small_stops_before_the_first_run(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, 100_000_000)
    with pytest.raises(UserError, match="too little space") as raised:
        run(results)
    # Four runs of a ResNet18 of 45 MB. A checkpoint is at most three times as large as its model.
    said = str(raised.value)
    assert "models 179 MB, other files of runs 800 kB, checkpoints of a run 403 MB" in said
    assert "100 MB free" in said
    assert "`keep_models: none`" in said
    assert "`results` to a folder on a larger disk" in said
    assert capsys.readouterr().out == ""
    assert not (results / "estimate.json").exists()
    give(monkeypatch, 10**9)
    assert run(results)["left"] == 8


def test_models_that_are_kept_until_the_evaluation_need_space_until_then(results: Path) -> None:
    found = {kept: run(results, keep_models=kept)["space"]["models"] for kept in ("all", "chosen")}
    assert found["chosen"] == found["all"] > 0
    assert run(results, keep_models="none")["space"]["models"] == 0


def test_what_is_there_is_not_written_again(results: Path) -> None:
    before = run(results)["space"]["models"]
    folder = finish(results, "small", "1e-02", 1)
    (folder / "models").mkdir()
    (folder / "models/fold1.pt").write_bytes(bytes(5_000_000))
    after = run(results)["space"]["models"]
    assert before - after == 5_000_000 + (folder / "run.json").stat().st_size


def test_a_finished_grid_takes_nothing(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, 0)
    finish(results, "small", "1e-02", 1)
    found = run(results, grid={**GRID, "models": ["small"], "lrs": ["1e-02"], "repeats": 1})
    assert (found["left"], found["seconds"], found["space"]) == (0, 0, {})
    assert "Note: e: all 1 training jobs are finished." in capsys.readouterr().out


def test_operations_are_those_of_resnet18() -> None:
    """1.82 billion multiplications of an image of 224 pixels: torchvision's table of models."""
    network = architecture("resnet18", COLOURS, (224, 224), pretrained=False).outline(1000)
    step, forward = operations.operations(network, 3, (224, 224))
    assert forward == pytest.approx(2 * 1.81e9, rel=0.01)
    assert 2.8 < step / forward < 3
    assert all(value.device.type == "meta" for value in network.parameters())


def test_the_size_of_a_model_is_that_of_its_file(tmp_path: Path) -> None:
    network = architecture("small", COLOURS, (32, 32), pretrained=False).build(2)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    found = disk.model_bytes("small", 2, COLOURS, (32, 32))
    assert found == pytest.approx((tmp_path / "model.pt").stat().st_size, rel=0.1)
