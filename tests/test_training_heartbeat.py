"""The heartbeat of a job: what it says, and that nothing depends on it."""

import json
import os
import time
from math import nan
from pathlib import Path
from typing import Any

import pytest

from fleeting.training import heartbeat, loop
from fleeting.training.heartbeat import FILE_NAME, Heartbeat
from small_runs import files, metadata, small_run, small_split


def read(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / FILE_NAME).read_text()))


def test_it_says_how_far_a_job_is_until_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_split(tmp_path, folds=3)
    folder = tmp_path / "run_checkpoints"
    seen: list[dict[str, Any]] = []
    predict = loop.predict

    def look(*arguments: Any) -> Any:
        seen.append(read(folder))
        return predict(*arguments)

    monkeypatch.setattr(loop, "predict", look)
    run = small_run(tmp_path)
    assert not folder.exists()
    done = ("fold", "folds_done", "folds", "epoch", "epochs")
    assert [[beat[name] for name in done] for beat in seen] == [
        [fold, fold - 1, 3, 2, 2] for fold in (1, 2, 3)
    ]
    last = seen[-1]
    job = [last[name] for name in ("experiment", "model", "lr", "repeat", "part")]
    assert job == ["e", "small", "1e-02", 1, 1]
    history = (run / "history.tsv").read_text().splitlines()[-1].split("\t")
    assert last["train_loss"] == pytest.approx(float(history[2]), abs=1e-4)
    assert last["validation_loss"] == pytest.approx(float(history[4]), abs=1e-4)
    assert last["images_per_second"] > 0
    assert last["device"] == metadata(run)["device"]
    assert last["pid"] == os.getpid()
    assert last["started"].endswith("+00:00")


def test_a_loss_that_is_not_finite_is_null(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path)
    beat.begin_fold(1, 0, 0)
    assert (read(tmp_path)["epoch"], read(tmp_path)["train_loss"]) == (0, None)
    beat.end_epoch(1, nan, 0.5, 10)
    assert (read(tmp_path)["train_loss"], read(tmp_path)["validation_loss"]) == (None, 0.5)


def test_it_is_touched_while_an_epoch_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "PERIOD", 0.01)
    path = tmp_path / FILE_NAME
    with heartbeat.beating(tmp_path) as beat:
        beat.begin_fold(1, 0, 0)
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 30
        while path.stat().st_mtime == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_folder_that_cannot_be_written_to_fails_nothing(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = files(small_run(results, "whole"))
    # In the place of the folder there is a file, which stops root as well.
    (results / "file").touch()
    monkeypatch.setattr(
        "fleeting.training.run.beating",
        lambda _, **job: heartbeat.beating(results / "file" / "folder", **job),
    )
    assert files(small_run(results)) == whole
