"""A job that was interrupted, wherever, ends with the same bytes as one that never was."""

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.training import checkpoint, interruption, keeper, loop
from fleeting.training.fit import Fitter
from fleeting.training.interruption import Stopped
from fleeting.training.recipe import Recipe
from small_runs import (
    ARRAYS,
    CLASSES,
    NETWORK,
    RECIPE,
    SCRIPTS,
    Interrupting,
    command,
    files,
    filled,
    record,
    side,
    small_run,
    small_split,
    write_gate,
)

#: Momentum, so that the optimiser has a state of its own, and random numbers in every step.
LIVELY = {
    **RECIPE,
    "optimiser": {"kind": "sgd", "momentum": 0.9},
    "schedule": "cosine",
    "augmentations": ["shift", "horizontal_flip"],
    "epochs": 3,
    "accumulation": 2,
}
FOLDS = 3
#: Of each fold: two batches to learn from and two to validate on.
STEPS = 4


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Data of three folds."""
    small_split(tmp_path, folds=FOLDS)
    return tmp_path


def trained(keeper: Any = None, state: Any = None, optimiser: Any = None) -> tuple[Any, ...]:
    changes = {"optimiser": optimiser} if optimiser else {}
    recipe = Recipe.model_validate(LIVELY | changes)
    torch.manual_seed(1)
    network = torch.nn.Sequential(NETWORK.build(2), torch.nn.Dropout(0.5))
    parts = filled(side(*range(10))), filled(side(10, 11, 12, 13, 14))
    fitter = Fitter(network, NETWORK, ARRAYS, *parts, 0.05, recipe, "fp32")
    start = fitter.start({k: v.clone() for k, v in network.state_dict().items()}, 7)
    history = fitter.fit(state or start, lambda _: None, keeper)
    return (history, *[tensor.numpy().tobytes() for tensor in network.state_dict().values()])


@pytest.mark.parametrize("optimiser", [None, "adamw"])
def test_resuming_from_any_epoch_gives_the_same_bytes(tmp_path: Path, optimiser: Any) -> None:
    """Stopped before any step of any epoch, in training and in validation."""
    steps = 3 + 2
    whole = trained(optimiser=optimiser)
    for step in range(steps, steps * LIVELY["epochs"]):
        interrupting = Interrupting(step)
        with pytest.raises(Stopped):
            trained(interrupting, optimiser=optimiser)
        torch.rand(100)
        kept = checkpoint.Checkpoints(tmp_path / f"{step}", "0" * 64, False)
        assert interrupting.state is not None
        kept.save(1, interrupting.state["epoch"], interrupting.state)
        state = kept.in_progress(1)
        assert state is not None
        assert state["epoch"] == step // steps
        assert trained(state=state, optimiser=optimiser) == whole
    never = Interrupting(-1)
    assert trained(never, optimiser=optimiser) == whole
    assert -never.left - 1 == steps * LIVELY["epochs"], "no step was left out above"


def stop_at(place: int, monkeypatch: pytest.MonkeyPatch, save: bool) -> None:
    """Let the job end before its n-th step, as SIGTERM (it saves its state) or SIGKILL would."""
    left = place
    check = keeper.Keeper.check

    def counted(self: keeper.Keeper) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            if not save:
                raise KeyboardInterrupt
            self.requests.received = signal.SIGTERM
        check(self)

    monkeypatch.setattr(keeper.Keeper, "check", counted)


@pytest.mark.parametrize("save", [True, False])
@pytest.mark.parametrize("every", [0, 60])
def test_a_job_that_ends_in_any_fold_and_epoch_resumes_there(
    results: Path, save: bool, every: int
) -> None:
    """With and without a checkpoint after every epoch."""
    whole = small_run(results, "whole", recipe=LIVELY)
    for place in (0, 2, 5, 14, 22, 24, 35):
        name = f"stopped{place}"
        changes = {"recipe": LIVELY, "checkpoint_every_minutes": every}
        with pytest.MonkeyPatch.context() as patch:
            stop_at(place, patch, save)
            with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
                small_run(results, name, **changes)
        if save:
            assert isinstance(ended.value, SystemExit)
            assert ended.value.code == interruption.STATUS
        run = small_run(results, name, **changes)
        assert files(run) == files(whole)
        fold, epoch = place // (3 * STEPS) + 1, place % (3 * STEPS) // STEPS
        epoch = epoch if every == 0 or save else 0
        nothing = fold == 1 and epoch == 0
        assert record(run)["resumed"] == ([] if nothing else [[fold, epoch]])


def test_a_finished_fold_is_not_trained_again(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_at(2 * 3 * STEPS, patch, save=False)
        with pytest.raises(KeyboardInterrupt):
            small_run(results, recipe=LIVELY)
    trained_folds, predicted = [], []
    begin, predict = keeper.Keeper.begin, loop.predict

    def begins(self: keeper.Keeper, fold: int) -> None:
        trained_folds.append(fold)
        begin(self, fold)

    def predicts(*arguments: Any) -> Any:
        predicted.append(arguments)
        return predict(*arguments)

    monkeypatch.setattr(keeper.Keeper, "begin", begins)
    monkeypatch.setattr(loop, "predict", predicts)
    run = small_run(results, recipe=LIVELY)
    assert trained_folds == [3]
    assert len(predicted) == 1, "nor predicted again"
    assert record(run)["resumed"] == [[3, 0]]


def test_a_job_that_waits_for_a_device_can_be_ended(results: Path) -> None:
    """Nothing of it could be lost, so nothing need be saved."""
    program = (
        "import signal, sys, time\n"
        "from fleeting.training import devices\n"
        "def wait(slots):\n"
        "    print('waits', flush=True)\n"
        "    time.sleep(60)\n"
        "devices.take = wait\n"
        "sys.argv = sys.argv[1:]\n"
        "import job\n"
        "job.main()\n"
    )
    _, script, *options = command(results, recipe=LIVELY)
    with subprocess.Popen(
        [sys.executable, "-c", program, script, *options],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "waits\n"
        job.send_signal(signal.SIGTERM)
        assert job.wait(timeout=30) == -signal.SIGTERM


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.pt")}


def test_a_job_killed_again_and_again_ends_with_the_same_files(results: Path) -> None:
    """SIGKILL and SIGTERM, each once a new checkpoint is there; the signals do land."""
    long = {"recipe": {**LIVELY, "epochs": 12}}
    subprocess.run(command(results, "whole", **long), check=True, capture_output=True)
    folder = results / "killed_checkpoints"
    killed = []
    for kind in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        before = names(folder)
        with subprocess.Popen(
            command(results, "killed", **long), stdout=subprocess.PIPE, text=True
        ) as job:
            while names(folder) <= before and job.poll() is None:
                time.sleep(0.001)
            assert job.poll() is None, job.stdout and job.stdout.read()
            job.send_signal(kind)
            said = job.communicate()[0]
        if kind == signal.SIGTERM:
            assert job.returncode == interruption.STATUS
            assert "the state is saved" in said
        else:
            assert job.returncode == -kind
        assert not (results / "killed").exists()
        killed.append(job.returncode)
    done = subprocess.run(command(results, "killed", **long), check=True, capture_output=True)
    assert b"resuming: " in done.stdout
    assert files(results / "killed") == files(results / "whole")
    own, other = record(results / "killed"), record(results / "whole")
    assert len(own["resumed"]) == len(killed)
    assert own["resumed"] == sorted(own["resumed"])
    assert own["resumed"][0] > [1, 0]
    assert not folder.exists()
    timed = {"seconds", "images_per_second", "resumed"}
    assert {key for key in own if own[key] != other[key]} <= timed


def interrupted(results: Path, recipe: dict[str, Any] = LIVELY) -> Path:
    """The checkpoints of a job that ended in its last fold, when two epochs of it were done."""
    folder = results / "run_checkpoints"
    with pytest.MonkeyPatch.context() as patch:
        stop_at(FOLDS * 3 * STEPS - 1, patch, save=False)
        with pytest.raises(KeyboardInterrupt):
            small_run(results, recipe=recipe)
    assert sorted(name.rsplit("_", 2)[0] for name in names(folder)) == [
        "fold0001_done",
        "fold0002_done",
        "fold0003_epoch0001",
        "fold0003_epoch0002",
    ]
    return folder


def key(folder: Path) -> str:
    return str(torch.load(max(folder.glob("*.pt")), weights_only=True)["key"])


def test_a_finished_job_that_could_not_be_written_is_only_written(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no room")

    with pytest.MonkeyPatch.context() as patch:
        # As a full disk would: after the last fold, before anything is written.
        patch.setattr("fleeting.training.output.tsv.write_rows", full)
        with pytest.raises(OSError, match="no room"):
            small_run(results, recipe=LIVELY)
    folder = results / "run_checkpoints"
    assert {name[:13] for name in names(folder)} == {f"fold000{n}_done" for n in (1, 2, 3)}

    def fit(*_: Any) -> None:
        raise AssertionError("trains again")

    monkeypatch.setattr(Fitter, "fit", fit)
    assert record(small_run(results, recipe=LIVELY))["resumed"] == [[3, 3]]
    assert not folder.exists()
    monkeypatch.undo()
    assert files(results / "run") == files(small_run(results, "whole", recipe=LIVELY))


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:-100] + bytes(100),
    ],
)
@pytest.mark.parametrize(
    ("name", "resumed", "again"),
    [("fold0003_epoch0002", [[3, 1]], [3]), ("fold0002_done", [[2, 0]], [2, 3])],
)
def test_a_corrupt_checkpoint_is_moved_aside(
    results: Path,
    harm: Any,
    name: str,
    resumed: list[list[int]],
    again: list[int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The checkpoint before it is used, or the fold is trained again, and it alone."""
    folder = interrupted(results)
    path = next(folder.glob(f"{name}*"))
    path.write_bytes(harm(path.read_bytes()))
    caplog.set_level("INFO")
    run = small_run(results, recipe=LIVELY)
    assert record(run)["resumed"] == resumed
    assert (folder / checkpoint.UNUSABLE / path.name).is_file()
    assert f"{path} is moved to" in caplog.text
    assert "corrupt" in caplog.text
    assert [number for number in (1, 2, 3) if f"fold {number}, epoch" in caplog.text] == again
    assert names(folder) == set()
    assert files(run) == files(small_run(results, "whole", recipe=LIVELY))


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def named(content: bytes, folder: Path, key: str) -> None:
    """A file with the name that its own bytes and a key give it."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    (folder / f"fold0003_epoch0009_{key[:16]}_{digest}.pt").write_bytes(content)


@pytest.mark.parametrize("kind", ["pickle", "zip", "tensor", "key", "place", "name", "folder"])
def test_a_foreign_file_is_moved_aside_and_never_loaded(results: Path, kind: str) -> None:
    folder = interrupted(results)
    own = key(folder)
    trap = results / "trap"
    if kind == "pickle":
        named(pickle.dumps(Malicious(trap), protocol=2), folder, own)
    elif kind == "folder":
        (folder / f"fold0003_epoch0009_{own[:16]}_{'0' * 16}.pt").mkdir()
    elif kind == "name":
        (folder / "model.pt").write_bytes(b"not mine")
    elif kind == "place":
        named(next(folder.glob("fold0001_done*")).read_bytes(), folder, own)
    else:
        held: Any = {"zip": Malicious(trap), "tensor": torch.ones(3), "key": {"key": "f" * 64}}[
            kind
        ]
        torch.save(held, results / "foreign")
        named((results / "foreign").read_bytes(), folder, own)
    assert record(small_run(results, recipe=LIVELY))["resumed"] == [[3, 2]]
    assert not trap.exists()
    assert len(list((folder / checkpoint.UNUSABLE).iterdir())) == 1


def other_split(results: Path) -> dict[str, Any]:
    """The same examples with other roles in a fold that is finished."""
    table = results / "split.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.SPLIT))
    rows[0]["split"], rows[2]["split"] = rows[2]["split"], rows[0]["split"]
    tsv.write_rows(rows, table, tsv.SPLIT)
    write_gate(results)
    return {}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda results: {}, True),
        (lambda results: {"recipe": {**LIVELY, "schedule": "constant"}}, False),
        (lambda results: {"keep_models": False}, False),
        (lambda results: {"repeat": 2}, False),
        (other_split, False),
    ],
)
def test_a_checkpoint_of_anything_else_is_not_used(
    results: Path, change: Any, same: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = interrupted(results)
    run = small_run(results, **{"recipe": LIVELY, **change(results)})
    assert record(run)["resumed"] == ([[3, 2]] if same else [])
    assert ("starts anew" in caplog.text) is not same
    assert not folder.exists()


def test_a_checkpoint_of_other_code_is_not_used(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(results)
    code = checkpoint._code()
    used = {"fit.py", "networks/small.py", "optimisers/sgd.py", "augmentations/shift.py"}
    assert {f"fleeting/training/{name}" for name in used} <= code.keys()
    monkeypatch.setattr(checkpoint, "_code", lambda: {**code, "fleeting/training/fit.py": "0"})
    assert record(small_run(results, recipe=LIVELY))["resumed"] == []


def test_a_second_process_waits_and_finds_the_run_finished(results: Path) -> None:
    """As after the death of Snakemake alone: its job goes on, a new Snakemake starts another."""
    long = {"recipe": {**LIVELY, "epochs": 12}}
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
    assert f"process {first.pid}" in said
    assert "the run is finished" in said
    assert "train loss" not in said
    assert record(results / "run")["resumed"] == []
    assert tuple(record(results / "run")["classes"]) == CLASSES
