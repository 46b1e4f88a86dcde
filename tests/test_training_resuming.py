"""A job that was interrupted, wherever, ends with the same bytes as one that never was."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.training import devices, interruption, loop
from fleeting.training.checkpoint import Progress
from fleeting.training.fit import Fitter
from small_runs import (
    RECIPE,
    command,
    files,
    metadata,
    small_run,
    small_split,
    write_gate,
)

#: With an optimiser that has a state and with random numbers in every step.
RANDOM = {
    **RECIPE,
    "optimiser": {"kind": "sgd", "momentum": 0.9},
    "schedule": "cosine",
    "augmentations": ["shift", "horizontal_flip"],
    "epochs": 3,
    "accumulation": 2,
}
FOLDS, EPOCHS = 3, 3
#: Of an epoch of each fold: two batches to learn from and two to validate on.
STEPS = 4


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Data of three folds."""
    small_split(tmp_path, folds=FOLDS)
    return tmp_path


def interrupt(at: int, patch: pytest.MonkeyPatch, asked: bool) -> None:
    """Let a job end before its n-th step: asked to, so that it saves its state, or at once."""
    steps_left = at
    stop_if_asked = Progress.stop_if_asked

    def counted(progress: Progress) -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left == -1:
            if not asked:
                raise KeyboardInterrupt
            progress.request.received = True
        stop_if_asked(progress)

    patch.setattr(Progress, "stop_if_asked", counted)


def run_until(at: int, results: Path, name: str = "run", asked: bool = False, **more: Any) -> None:
    """A job that ends before its n-th step."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt(at, patch, asked)
        with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
            small_run(results, name, **{"recipe": RANDOM, **more})
    assert not asked or ended.value.args == (interruption.STATUS,)


@pytest.mark.parametrize(
    ("asked", "minutes", "recipe", "lr"),
    [
        (True, 60, {}, "1e-02"),
        (False, 60, {}, "1e-02"),
        (False, 0, {"optimiser": "adamw"}, "1e-02"),
        (False, 0, {"tested_epoch": "best_validation"}, "2e-01"),
    ],
    ids=["asked", "rare", "often", "best"],
)
def test_a_job_that_ends_in_any_fold_and_epoch_resumes_there(
    results: Path,
    asked: bool,
    minutes: int,
    recipe: dict[str, Any],
    lr: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With a checkpoint where it was asked to stop, with none and with one after every epoch."""
    changes: dict[str, Any] = {
        "recipe": {**RANDOM, **recipe},
        "lr": lr,
        "checkpoint_every_minutes": minutes,
    }
    whole = small_run(results, "whole", **changes)
    tested = metadata(whole)["tested_epoch"]
    assert (min(tested.values()) < EPOCHS) is (recipe.get("tested_epoch") == "best_validation")
    caplog.set_level("INFO")
    # In training and in validation, within an epoch and between two, and between two folds.
    for at in (2, 5, 8, 24, 35):
        name = f"stopped{at}"
        run_until(at, results, name, asked, **changes)
        caplog.clear()
        torch.rand(100)
        run = small_run(results, name, **changes)
        assert files(run) == files(whole)
        assert metadata(run)["tested_epoch"] == tested
        fold, epoch = at // (EPOCHS * STEPS) + 1, at % (EPOCHS * STEPS) // STEPS
        epoch = epoch if minutes == 0 or asked else 0
        nothing = fold == 1 and epoch == 0
        assert metadata(run)["resumed"] == ([] if nothing else [[fold, epoch]])
        first = next(text for text in caplog.messages if "train loss" in text)
        assert first.startswith(f"fold {fold}, epoch {epoch + 1}:"), "what is done stays done"


def test_signals_end_a_job_that_waits_for_a_device(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it could be lost, so they do what they always do, and again after training."""
    own = [signal.getsignal(number) for number in interruption.SIGNALS]
    seen = []

    def handlers(_: object) -> devices.Device:
        seen.append([signal.getsignal(number) for number in interruption.SIGNALS])
        return devices.Device(torch.device("cpu"), None)

    monkeypatch.setattr(devices, "acquire", handlers)
    small_run(results)
    assert seen == [own]
    assert [signal.getsignal(number) for number in interruption.SIGNALS] == own


@pytest.mark.parametrize("number", interruption.SIGNALS)
def test_a_signal_is_remembered(number: signal.Signals) -> None:
    with interruption.deferred_signals() as request:
        assert not request.received
        os.kill(os.getpid(), number)
        assert request.received


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.pt")}


def test_a_job_killed_again_and_again_ends_with_the_same_files(results: Path) -> None:
    """Each signal once a new checkpoint is there; the signals do land."""
    long = {"recipe": {**RANDOM, "epochs": 12}}
    small_run(results, "whole", **long)
    folder = results / "killed_checkpoints"
    kinds = (signal.SIGKILL, signal.SIGTERM)
    for kind in kinds:
        before = names(folder)
        with subprocess.Popen(
            command(results, "killed", **long), stdout=subprocess.PIPE, text=True
        ) as job:
            while names(folder) <= before and job.poll() is None:
                time.sleep(0.001)
            assert job.poll() is None, job.stdout and job.stdout.read()
            job.send_signal(kind)
            said = job.communicate()[0]
        if kind == signal.SIGKILL:
            assert job.returncode == -kind
        else:
            assert job.returncode == interruption.STATUS
            assert "the state is saved" in said
        assert not (results / "killed").exists()
        assert (folder / "heartbeat.json").exists()
    subprocess.run(command(results, "killed", **long), check=True, capture_output=True)
    assert files(results / "killed") == files(results / "whole")
    own, other = metadata(results / "killed"), metadata(results / "whole")
    assert len(own["resumed"]) == len(kinds)
    assert [1, 0] < own["resumed"][0] <= own["resumed"][1]
    assert not folder.exists()
    differ = {"seconds", "images_per_second", "resumed", "key"}
    assert {name for name in own if own[name] != other[name]} <= differ


def test_a_finished_job_that_could_not_be_written_is_only_written(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no room")

    with pytest.MonkeyPatch.context() as patch:
        # As a full disk would: after the last fold, before anything is written.
        patch.setattr("fleeting.training.output.tsv.write_rows", full)
        with pytest.raises(OSError, match="no room"):
            small_run(results)
    folder = results / "run_checkpoints"
    assert {name[:13] for name in names(folder)} == {f"fold000{n}_done" for n in (1, 2, 3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fitter, "fit", full)
        patch.setattr(loop, "predict", full)
        assert metadata(small_run(results))["resumed"] == [[3, 2]]
    assert not folder.exists()
    assert files(results / "run") == files(small_run(results, "whole"))


def test_a_corrupt_finished_fold_is_trained_again(results: Path) -> None:
    run_until(2 * EPOCHS * STEPS, results)
    path = next((results / "run_checkpoints").glob("fold0002_done*"))
    path.write_bytes(path.read_bytes()[:-1])
    run = small_run(results, recipe=RANDOM)
    assert metadata(run)["resumed"] == [[2, 0]]
    assert files(run) == files(small_run(results, "whole", recipe=RANDOM))


def other_split(results: Path) -> dict[str, Any]:
    """The same examples with other roles in a fold that is finished."""
    table = results / "split.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.SPLIT))
    rows[0]["split"], rows[2]["split"] = rows[2]["split"], rows[0]["split"]
    tsv.write_rows(rows, table, tsv.SPLIT)
    write_gate(results)
    return {}


@pytest.mark.parametrize(
    ("change", "resumed"),
    [
        (lambda results: {}, [[1, 2]]),
        (lambda results: {"recipe": {**RANDOM, "schedule": "constant"}}, []),
        (lambda results: {"keep_models": False}, []),
        (lambda results: {"repeat": 2}, []),
        (other_split, []),
    ],
)
def test_a_checkpoint_of_anything_else_is_not_used(
    results: Path, change: Callable[[Path], dict[str, Any]], resumed: list[list[int]]
) -> None:
    run_until(2 * STEPS, results)
    run = small_run(results, **{"recipe": RANDOM, **change(results)})
    assert metadata(run)["resumed"] == resumed
    assert not (results / "run_checkpoints").exists()


def test_checkpoints_of_another_precision_are_not_used(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings on another device may compute in another precision."""
    run_until(2 * STEPS, results)
    monkeypatch.setattr("fleeting.training.precision.choose", lambda *_: "bf16")
    assert metadata(small_run(results, recipe=RANDOM))["resumed"] == []


def test_a_second_process_waits_and_finds_the_run_finished(results: Path) -> None:
    """As after the death of Snakemake alone: its job still trains when the next one starts."""
    long = {"recipe": {**RANDOM, "epochs": 12}}
    first = subprocess.Popen(command(results, **long), stdout=subprocess.DEVNULL)
    with first:
        while not names(results / "run_checkpoints"):
            time.sleep(0.001)
            assert first.poll() is None
        # It stands still until the second one has met it.
        first.send_signal(signal.SIGSTOP)
        with subprocess.Popen(
            command(results, **long), stdout=subprocess.PIPE, text=True
        ) as second:
            assert second.stdout is not None
            said = ""
            while "waiting for it" not in said and (line := second.stdout.readline()):
                said += line
            first.send_signal(signal.SIGCONT)
            said += second.stdout.read()
        assert first.wait() == second.returncode == 0
    assert "the run is finished" in said
    assert "train loss" not in said
    assert metadata(results / "run")["resumed"] == []
