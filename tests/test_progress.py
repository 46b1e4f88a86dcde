"""How far a project is, told from fabricated files: empty, half done, with dead and failed jobs."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fleeting import layout, tsv
from fleeting.config.loading import load
from fleeting.layout import Config, Job
from fleeting.progress import show, state

EXPERIMENT = {
    "recipe": {"weights": "none"},
    "grid": {"models": ["small", "resnet18"], "lrs": ["1e-03", "1e-04"], "repeats": 2},
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two databases; eight runs in one job each, and as many in two parts each."""
    experiments: dict[str, Any] = {"one": EXPERIMENT, "two": EXPERIMENT | {"parts": 2}}
    databases = {name: {"root": name} for name in ("casme2", "samm")}
    found = {"results": str(tmp_path), "databases": databases, "experiments": experiments}
    return load(found)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def finish(results: Path, job: Job, seconds: float = 10, failed: str | None = None) -> None:
    path = results / job.folder / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"seconds": seconds, "failed": failed}))


def beat(results: Path, job: Job, age: float = 0, **changes: Any) -> None:
    """A job in its third fold of four, half of whose epochs are done."""
    values = {"fold": 7, "folds_done": 2, "folds": 4, "epoch": 5, "epochs": 10}
    values |= {"train_loss": 0.5, "validation_loss": None, "images_per_second": 1234.5}
    values |= {"device": "a GPU", "host": "node [7]", **changes}
    path = results / job.checkpoints / state.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(values))
    os.utime(path, (time.time() - age,) * 2)


def shown(config: Config, results: Path) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(show.view(config, results))
    return capture.get()


def test_an_empty_project_has_nothing_done(config: Config, tmp_path: Path) -> None:
    found = state.experiment(config, tmp_path, "one")
    assert (found.runs, found.done, found.seconds_left) == (8, 0, None)
    counts = {stage.name: (stage.done, stage.expected) for stage in state.stages(config, tmp_path)}
    assert counts["annotations"] == (0, 2)
    assert counts["samples cropped"] == (0, None), "not known before the frames are selected"
    assert counts["splits"] == (0, 2)
    assert "0 of 8" in shown(config, tmp_path)


def test_a_sample_counts_when_it_is_cropped(config: Config, tmp_path: Path) -> None:
    for database, samples in (("casme2", ("s1/c/1", "s2/c/1")), ("samm", ("s1/c/1",))):
        rows = [
            {"image": f"{database}/{sample}/{phase}", "sample": f"{database}/{sample}"}
            | {"phase": phase, "frame": 1, "path": "x"}
            for sample in samples
            for phase in tsv.PHASES
        ]
        tsv.write_rows(rows, tmp_path / f"frames/phases/{database}.tsv", tsv.FRAMES)
    touch(tmp_path / "faces/paper/casme2/s1/c/1/crops.json")
    touch(tmp_path / "faces/paper/casme2/s2/c/1/onset.png")
    counts = {stage.name: (stage.done, stage.expected) for stage in state.stages(config, tmp_path)}
    assert counts["samples cropped"] == (1, 3)


def test_a_run_is_done_with_its_last_part(config: Config, tmp_path: Path) -> None:
    jobs = layout.training_jobs(config, "two")
    assert len(jobs) == 16
    finish(tmp_path, jobs[0])
    assert state.experiment(config, tmp_path, "two").done == 0
    finish(tmp_path, jobs[1])
    assert state.experiment(config, tmp_path, "two").done == 1


def test_the_time_left_is_that_of_the_same_models_runs(config: Config, tmp_path: Path) -> None:
    jobs = layout.training_jobs(config, "one")
    small, large = jobs[:4], jobs[4:]
    finish(tmp_path, small[0], 10)
    finish(tmp_path, small[1], 20)
    finish(tmp_path, large[0], 100)
    assert state.experiment(config, tmp_path, "one").seconds_left == 2 * 15 + 3 * 100
    # (2 + 5 / 10) of 4 folds are done, and two jobs run at a time.
    beat(tmp_path, large[1])
    beat(tmp_path, small[2], epoch=0, folds_done=0)
    left = 2 * 15 + 2 * 100 + (1 - 2.5 / 4) * 100
    assert state.experiment(config, tmp_path, "one").seconds_left == pytest.approx(left / 2)


def test_a_dead_job_is_marked_and_does_not_count_as_running(config: Config, tmp_path: Path) -> None:
    jobs = layout.training_jobs(config, "one")
    beat(tmp_path, jobs[0], age=2 * state.DEAD_AFTER)
    beat(tmp_path, jobs[1])
    found = state.experiment(config, tmp_path, "one")
    assert [one.dead for one in found.heartbeats] == [True, False]
    text = shown(config, tmp_path)
    assert "dead: last sign 4 min ago" in text
    for shown_value in ("3 of 4", "5 of 10", "1234", "node [7]"):
        assert shown_value in text


def test_a_failed_run_says_why(config: Config, tmp_path: Path) -> None:
    finish(tmp_path, layout.training_jobs(config, "one")[0], failed="fold 1: the loss is NaN")
    found = state.experiment(config, tmp_path, "one")
    assert (found.done, list(found.failed.values())) == (0, ["fold 1: the loss is NaN"])
    assert "the loss is NaN" in shown(config, tmp_path)


def test_a_finished_project_has_no_time_left(config: Config, tmp_path: Path) -> None:
    for name in config["experiments"]:
        for job in layout.training_jobs(config, name):
            finish(tmp_path, job)
    for kind, ending in (("table", ".tsv"), ("figure", ".svg")):
        for path in layout.output_paths(config, kind, ending):
            touch(tmp_path / path)
    found = state.experiment(config, tmp_path, "one")
    assert (found.done, found.seconds_left) == (8, 0)
    assert all(stage.done == stage.expected for stage in state.later_stages(config, tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"epoch": 1}'])
def test_a_damaged_heartbeat_is_ignored(config: Config, tmp_path: Path, text: str) -> None:
    job = layout.training_jobs(config, "one")[0]
    path = tmp_path / job.checkpoints / state.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert state.experiment(config, tmp_path, "one").heartbeats == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (0.4, "0 s"), (59.4, "59 s"), (90, "2 min"), (12_000, "3 h 20 min")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert show.duration(seconds) == text
