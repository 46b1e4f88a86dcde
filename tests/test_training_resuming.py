"""A run that was interrupted, wherever, ends with the same bytes as one that never was."""

import hashlib
import json
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

from fleeting.training import checkpoint, images, interruption, packed
from fleeting.training.models import resnet18
from fleeting.training.pack import pack
from fleeting.training.trainer import Recipe, Stopped, prepare, train
from small_runs import NAME, RECIPE, Interrupting, small_network, small_run

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
#: Momentum, so that the optimiser has a state of its own.
LIVELY = {**RECIPE, "momentum": 0.9, "epochs": 3, "accumulation": 2}
#: Of the small split: three batches to learn from and two to validate on.
STEPS = 5


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains in this process is small; jobs of their own train the real network."""
    monkeypatch.setattr(resnet18, "build", small_network)


class Dropping(torch.nn.Module):
    """A network that draws random numbers while it learns, has a state, and is small."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3),
            torch.nn.BatchNorm2d(4),
            torch.nn.Dropout(0.5),
            torch.nn.Flatten(),
            torch.nn.LazyLinear(2),
        )
        self.layers.eval()(torch.zeros(1, 3, 32, 32))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.layers(pixels)


def trained(results: Path, keeper: Any = None, state: Any = None) -> tuple[Any, ...]:
    recipe = Recipe.of(LIVELY)
    seed = prepare(recipe, 1)
    network = Dropping()
    parts = images.load(results / "training.tsv", (), ["bright", "dark"])
    arguments = (parts["train"], parts["validation"], 0.05, recipe, "fp32", seed, lambda _: None)
    history = train(network, *arguments, keeper, state)
    return (history, *[tensor.numpy().tobytes() for tensor in network.state_dict().values()])


def test_going_on_from_any_step_gives_the_same_bytes(results: Path) -> None:
    """Every step of every epoch, in training and in validation."""
    whole = trained(results)
    for step in range(STEPS * LIVELY["epochs"]):
        keeper = Interrupting(step, results / f"checkpoints{step}")
        with pytest.raises(Stopped):
            trained(results, keeper)
        torch.rand(100)
        state = keeper.checkpoints.load()
        assert state is not None
        assert (state["epoch"], state["step"]) == divmod(step, STEPS)
        assert trained(results, state=state) == whole
    keeper = Interrupting(-1, results / "never")
    assert trained(results, keeper) == whole
    assert -keeper.left - 1 == STEPS * LIVELY["epochs"], "no step was left out above"


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
        "import train\n"
        "train.main()\n"
    )
    _, script, *options = command(results, "run")
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


def command(results: Path, output: str, recipe: dict[str, Any] = LIVELY) -> list[str]:
    options = {
        "images": results / "training.tsv",
        **NAME,
        "recipe": json.dumps(recipe),
        "gpu-slots-per-device": 1,
        "checkpoint-every-minutes": 0,
        "allow-missing": False,
        "checkpoints": results / f"{output}_checkpoints",
        "output": results / output,
    }
    pairs = [(f"--{name}", str(value)) for name, value in options.items()]
    return [sys.executable, str(SCRIPTS / "train.py"), *(part for pair in pairs for part in pair)]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def test_a_job_killed_again_and_again_ends_with_the_same_files(results: Path) -> None:
    """SIGKILL and SIGTERM, each once a new checkpoint is there; the signals do land."""
    long = {**LIVELY, "epochs": 6}
    subprocess.run(command(results, "whole", long), check=True, capture_output=True)
    folder = results / "killed_checkpoints"
    killed = []
    for kind in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        before = names(folder)
        with subprocess.Popen(
            command(results, "killed", long), stdout=subprocess.PIPE, text=True
        ) as job:
            while names(folder) <= before and job.poll() is None:
                time.sleep(0.01)
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
    done = subprocess.run(command(results, "killed", long), check=True, capture_output=True)
    assert b"going on after epoch" in done.stdout
    assert files(results / "killed") == files(results / "whole")
    record = json.loads((results / "killed" / "run.json").read_text())
    resumed = record["resumed_from_epochs"]
    assert len(resumed) == len(killed)
    assert resumed == sorted(resumed)
    assert resumed[0] >= 1
    assert not folder.exists()
    other = json.loads((results / "whole" / "run.json").read_text())
    timed = {"seconds", "images_per_second", "resumed_from_epochs"}
    assert {key for key in record if record[key] != other[key]} <= timed


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.pt")}


def interrupted(results: Path, recipe: dict[str, Any] = LIVELY) -> Path:
    """The checkpoints of a run that was asked to stop in its last epoch."""

    class Impatient(RuntimeError):
        pass

    def end(*_: Any) -> None:
        raise Impatient

    folder = results / "run_checkpoints"
    with pytest.MonkeyPatch.context() as patch:
        # As a full disk would: after the last epoch, before anything is written.
        patch.setattr("fleeting.training.run.save", end)
        with pytest.raises(Impatient):
            small_run(results, recipe=recipe)
    assert len(names(folder)) == checkpoint.KEPT
    return folder


def resumed(run_folder: Path) -> list[int]:
    return list(json.loads((run_folder / "run.json").read_text())["resumed_from_epochs"])


def test_a_finished_run_that_could_not_be_written_is_only_written(results: Path) -> None:
    folder = interrupted(results)
    assert resumed(small_run(results, recipe=LIVELY)) == [3]
    assert not folder.exists()
    whole = small_run(results, recipe=LIVELY, output="whole")
    assert files(results / "run") == files(whole)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:-100] + bytes(100),
    ],
)
def test_a_torn_checkpoint_is_set_aside_and_the_one_before_it_is_used(
    results: Path, harm: Any, caplog: pytest.LogCaptureFixture
) -> None:
    folder = interrupted(results)
    last = max(folder.glob("*.pt"))
    last.write_bytes(harm(last.read_bytes()))
    assert resumed(small_run(results, recipe=LIVELY)) == [2]
    assert (folder / checkpoint.SET_ASIDE / last.name).is_file()
    assert f"{last} is set aside" in caplog.text
    assert "torn" in caplog.text
    assert names(folder) == set()
    assert files(results / "run") == files(small_run(results, recipe=LIVELY, output="whole"))


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def named(content: bytes, folder: Path, key: str) -> None:
    """A file with the name that its own bytes and a key give it."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    (folder / f"epoch0009_step0000_{key[:16]}_{digest}.pt").write_bytes(content)


@pytest.mark.parametrize("kind", ["pickle", "zip", "tensor", "key", "name", "folder"])
def test_a_foreign_file_is_set_aside_and_never_loaded(results: Path, kind: str) -> None:
    folder = interrupted(results)
    own = max(folder.glob("*.pt"))
    key = torch.load(own, weights_only=True)["key"]
    trap = results / "trap"
    if kind == "pickle":
        named(pickle.dumps(Malicious(trap), protocol=2), folder, key)
    elif kind == "folder":
        (folder / f"epoch0009_step0000_{key[:16]}_{'0' * 16}.pt").mkdir()
    elif kind == "name":
        (folder / "model.pt").write_bytes(b"not mine")
    else:
        held: Any = {"zip": Malicious(trap), "tensor": torch.ones(3), "key": {"key": "f" * 64}}[
            kind
        ]
        torch.save(held, results / "foreign")
        named((results / "foreign").read_bytes(), folder, key)
    assert resumed(small_run(results, recipe=LIVELY)) == [3]
    assert not trap.exists()
    assert len(list((folder / checkpoint.SET_ASIDE).iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda results: None, True),
        (lambda results: {"recipe": {**LIVELY, "momentum": 0.8}}, False),
        (lambda results: swap_first_images(results), False),
        (lambda results: pack_otherwise(results), False),
    ],
)
def test_a_checkpoint_of_anything_else_is_not_gone_on_from(
    results: Path, change: Any, same: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = interrupted(results)
    run_folder = small_run(results, **{"recipe": LIVELY, **(change(results) or {})})
    assert resumed(run_folder) == ([3] if same else [])
    assert ("starts anew" in caplog.text) is not same
    assert not folder.exists()


def swap_first_images(results: Path) -> None:
    """The same images in another order: another table, packed anew."""
    table = results / "training.tsv"
    header, first, second, *rest = table.read_text().splitlines()
    table.write_text("\n".join([header, second, first, *rest]) + "\n")
    packed.write(pack(table, results), table)


def pack_otherwise(results: Path) -> None:
    """The same table and crops, decoded into other pixels: by other code, say."""
    table = results / "training.tsv"
    packed.write(pack(table, results)[..., ::-1].copy(), table)


def test_a_checkpoint_of_other_code_is_not_gone_on_from(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(results)
    code = checkpoint._code()
    assert {"fleeting/training/trainer.py", "fleeting/training/models/resnet18.py"} <= code.keys()
    monkeypatch.setattr(checkpoint, "_code", lambda: {**code, "fleeting/training/trainer.py": "0"})
    assert resumed(small_run(results, recipe=LIVELY)) == []


def test_a_second_process_waits_and_finds_the_run_finished(results: Path) -> None:
    """As after the death of Snakemake alone: its job goes on, a new Snakemake starts another."""
    long = {**LIVELY, "epochs": 8}
    first = subprocess.Popen(command(results, "run", long), stdout=subprocess.DEVNULL)
    with first:
        while not names(results / "run_checkpoints"):
            time.sleep(0.01)
            assert first.poll() is None
        # It stands still until the second one has met it.
        first.send_signal(signal.SIGSTOP)
        with subprocess.Popen(
            command(results, "run", long), stdout=subprocess.PIPE, text=True
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
    assert resumed(results / "run") == []


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_its_history(results: Path) -> None:
    run_folder = small_run(results, {**NAME, "lr": "9e+30"}, {**RECIPE, "epochs": 9})
    record = json.loads((run_folder / "run.json").read_text())
    history = (run_folder / "history.tsv").read_text().splitlines()
    assert record["failed"].startswith(f"epoch {len(history) - 1}: the ")
    assert record["tested_epoch"] is None
    assert len(history) - 1 < 9
    assert not (results / "run_checkpoints").exists()


def test_accumulation_gives_the_update_of_the_whole_batch(results: Path) -> None:
    """Without batch normalisation, which sees a part at a time, the parts add up to the batch."""
    parts = images.load(results / "training.tsv", (), ["bright", "dark"])
    found = []
    for accumulation in (1, 2, 4):
        recipe = Recipe.of({**RECIPE, "batch_size": 8, "accumulation": accumulation})
        prepare(recipe, 1)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2))
        arguments = (parts["train"], parts["validation"], 1e-3, recipe, "fp32", 1, lambda _: None)
        found.append((train(network, *arguments), network.state_dict()["1.weight"]))
    for history, weight in found[1:]:
        torch.testing.assert_close(weight, found[0][1], rtol=1e-4, atol=1e-6)
        for epoch, other in zip(history, found[0][0], strict=True):
            assert epoch.train_loss == pytest.approx(other.train_loss, rel=1e-4)
