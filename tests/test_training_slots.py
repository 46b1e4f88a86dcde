"""Slots of devices: acquired by real processes, and released however these die."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fleeting.errors import UserError
from fleeting.training import slots
from fleeting.training.slots import Slot, acquire
from small_runs import SCRIPTS

DEVICES = ("GPU-aaaa", "GPU-bbbb")
#: Seconds after which a test's processes are killed, so that a lock that is never freed fails it.
GUARD = 60

#: Takes a slot of the devices argv[2:] with argv[1] slots each, and holds it until told to end.
JOB = """
import logging, os, sys
from fleeting.training import slots
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
slots.PAUSE = 0.05
slot = slots.acquire(sys.argv[2:], int(sys.argv[1]))
"""
HOLD = JOB + "print('started', slot.device, flush=True)\nprint('child', input(), flush=True)"
#: A forked copy of the process outlives it.
FORK = HOLD.replace("print('started'", "if os.fork(): print('started'")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and those that it starts keep the locks; it does not exist yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS))
    for name in slots.SCHEDULER_JOBS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / f"fleeting-{os.getuid()}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program as a process; none of them outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def new(
        slots_per_device: int, devices: Sequence[str] = DEVICES, program: str = HOLD
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, str(slots_per_device), *devices]
        job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(job)
        return job

    def kill() -> None:
        for process in processes:
            process.kill()

    guard = threading.Timer(GUARD, kill)
    guard.start()
    yield new
    guard.cancel()
    kill()
    for process in processes:
        process.communicate()


def line(process: subprocess.Popen[str], beginning: str) -> str:
    """The next line that a process says with such a beginning; what it says before is skipped."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith(beginning):
            return said.strip()
    raise AssertionError(f"ended without saying {beginning!r}")


def device(process: subprocess.Popen[str]) -> str:
    """The device that a process got; waits until it has one."""
    return line(process, "started").split()[1]


def test_processes_are_spread_evenly_and_one_more_waits_for_the_slot_that_is_freed(
    start: Start,
) -> None:
    jobs = [start(2) for _ in range(4)]
    taken = [device(job) for job in jobs]
    assert sorted(taken) == ["0", "0", "1", "1"]
    fifth = start(2)
    waiting = line(fifth, "all 4 slots on 2 device(s) are taken")
    assert "--resources gpu=N" in waiting
    assert "gpu_slots_per_device" in waiting
    jobs[taken.index("1")].send_signal(signal.SIGKILL)
    assert device(fifth) == "1"


def test_a_child_that_outlives_the_holder_keeps_no_slot(start: Start) -> None:
    holder = start(1, DEVICES[:1], FORK)
    device(holder)
    other = start(1, DEVICES[:1])
    line(other, "all 1 slots")
    holder.kill()
    assert device(other) == "0"
    assert holder.stdin is not None
    holder.stdin.write("lives\n")
    holder.stdin.flush()
    assert line(holder, "child") == "child lives"


def test_processes_that_see_other_devices_do_not_wait_for_each_other(start: Start) -> None:
    """As with CUDA_VISIBLE_DEVICES, which numbers the devices that it names from 0."""
    assert [device(start(1, (name,))) for name in DEVICES] == ["0", "0"]
    line(start(1), "all 2 slots on 2 device(s) are taken")


@pytest.mark.parametrize("variable", slots.SCHEDULER_JOBS)
def test_a_schedulers_job_uses_its_only_device(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "17")
    assert acquire(DEVICES[:1], 1) == Slot(0, None)
    assert not folder.exists()
    assert acquire(DEVICES, 1).lock, "several devices are shared out"
    monkeypatch.setenv(variable, "")
    assert acquire(DEVICES[:1], 1).lock, "an empty variable is no scheduler's job"


def test_a_schedulers_job_with_several_devices_never_waits(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert sorted(device(start(1)) for _ in range(4)) == ["0", "0", "1", "1"]


def test_the_folder_is_the_users_alone(folder: Path) -> None:
    acquire(DEVICES, 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "make",
    [lambda folder: folder.touch(), lambda folder: folder.symlink_to(folder.parent)],
    ids=["file", "link"],
)
def test_what_is_no_folder_is_refused(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    with pytest.raises(UserError, match=f"{folder}.*Set TMPDIR"):
        acquire(DEVICES, 1)


def test_another_users_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can change users, so this one takes itself for another."""
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    folder.with_name(f"fleeting-{other}").mkdir()
    with pytest.raises(UserError, match=f"fleeting-{other}.* is not a folder of yours"):
        acquire(DEVICES, 1)


def test_a_temporary_folder_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="gone.*Set TMPDIR"):
        acquire(DEVICES, 1)
