"""Slots of devices: shared out evenly between real processes, and given back however these die."""

import fcntl
import logging
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from fleeting.errors import UserError
from fleeting.training import slots
from fleeting.training.slots import Slot, claim

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
DEVICES = ("GPU-aaaa", "GPU-bbbb")
#: Seconds after which a test's processes are killed, so that a lock that is never freed fails it.
GUARD = 60

#: Claims a slot of the devices argv[2:] with argv[1] slots each, and holds it until told to end.
JOB = """
import logging, os, sys
from fleeting.training import slots
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
slots.LONGEST_PAUSE = 0.1
def say(event):
    # One write a line: other processes may write to the same file.
    os.write(1, f"{event} {slot.device} {slot.slot} {os.getpid()}\\n".encode())
slot = slots.claim(sys.argv[2:], int(sys.argv[1]))
say("start")
sys.stdin.readline()
say("end")
"""
#: Ends on its own after a moment, its slot's time for others to get in its way.
SHORT_JOB = JOB.replace("sys.stdin.readline()", "__import__('time').sleep(os.getpid() % 7 / 200)")
#: Stops for good as soon as it has so many locks: 1 is the mutex alone, 2 a slot as well.
STALLED = """
import fcntl
locks = []
flock = fcntl.flock
def stall(file, how):
    flock(file, how)
    locks.append(file)
    if len(locks) == {count}:
        print("stalled", flush=True)
        sys.stdin.readline()
fcntl.flock = stall
"""
#: Leaves a child behind that answers the next line.
ANSWER = "print('alive', input(), flush=True)"
FORKS = f"if os.fork() == 0: {ANSWER}; os._exit(0)"
EXECUTES = (
    f"import subprocess; subprocess.Popen([sys.executable, '-c', {ANSWER!r}], close_fds=False)"
)

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
        program: str,
        slots_per_device: int,
        devices: Sequence[str] = DEVICES,
        stdout: IO[str] | int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, str(slots_per_device), *devices]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=stdout,
            text=True,
            # Where the tests themselves run in a shell's background, SIGINT is ignored in them.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        processes.append(process)
        return process

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


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Slot]]:
    """Claims in this process, where having to wait is an error; all is given back at the end."""
    held: list[Slot] = []

    def no_wait(_: float) -> None:
        raise AssertionError("waits")

    monkeypatch.setattr(slots, "time", SimpleNamespace(sleep=no_wait))

    def new(
        devices: Sequence[str], slots_per_device: int, environment: Mapping[str, str] = os.environ
    ) -> Slot:
        held.append(claim(devices, slots_per_device, environment))
        return held[-1]

    yield new
    for slot in held:
        give_back(slot)


def give_back(slot: Slot) -> None:
    if slot.lock is not None:
        slot.lock.close()


def place(slot: Slot) -> tuple[int, int]:
    return slot.device, slot.slot


def line(process: subprocess.Popen[str], beginning: str) -> str:
    """The next line that a process says with such a beginning; what it says before is skipped."""
    assert process.stdout is not None
    for said in process.stdout:
        if said.startswith(beginning):
            return said.strip()
    raise AssertionError(f"ended without saying {beginning!r}")


def claimed(process: subprocess.Popen[str]) -> tuple[int, int]:
    device, slot = line(process, "start").split()[1:3]
    return int(device), int(slot)


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("end\n")
    process.stdin.flush()


@pytest.mark.parametrize("slots_per_device", [2, 3])
def test_processes_that_start_at_once_are_spread_evenly(
    start: Start, slots_per_device: int
) -> None:
    jobs = [start(JOB, slots_per_device) for _ in range(4)]
    assert sorted(claimed(job) for job in jobs) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_one_more_waits_and_gets_the_slot_that_is_freed(start: Start) -> None:
    jobs = {claimed(job): job for job in [start(JOB, 2) for _ in range(4)]}
    fifth = start(JOB, 2)
    line(fifth, "all 4 slots on 2 device(s) are taken")
    end(jobs[1, 0])
    assert claimed(fifth) == (1, 0)


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_holder_frees_its_slot(start: Start, death: signal.Signals) -> None:
    holder = start(JOB, 1, DEVICES[:1])
    assert claimed(holder) == (0, 0)
    waiting = start(JOB, 1, DEVICES[:1])
    line(waiting, "all 1 slots")
    holder.send_signal(death)
    assert claimed(waiting) == (0, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_one_that_is_killed_while_it_chooses_blocks_nobody(
    start: Start, folder: Path, count: int
) -> None:
    program = JOB.replace("slot = ", STALLED.format(count=count) + "slot = ")
    stalled = start(program, 1, DEVICES[:1])
    line(stalled, "stalled")
    with (folder / "claim.lock").open("wb") as mutex, pytest.raises(BlockingIOError):
        fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
    others = [start(JOB, 2, DEVICES[:1]) for _ in range(2)]
    stalled.kill()
    assert sorted(claimed(other) for other in others) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("leave_child", [FORKS, EXECUTES], ids=["fork", "exec"])
def test_a_child_that_outlives_the_holder_keeps_no_slot(start: Start, leave_child: str) -> None:
    program = JOB.replace('say("start")', leave_child + '\nsay("start")')
    holder = start(program, 1, DEVICES[:1])
    claimed(holder)
    other = start(JOB, 1, DEVICES[:1])
    line(other, "all 1 slots")
    holder.kill()
    assert claimed(other) == (0, 0)
    end(holder)
    assert line(holder, "alive") == "alive end"


def test_twelve_jobs_run_six_and_six_and_never_three_on_a_device(start: Start) -> None:
    """Whenever four hold a slot they are told to end, so that the next four take over."""
    readable, writable = os.pipe()
    with os.fdopen(readable) as said:
        jobs = {job.pid: job for job in [start(JOB, 2, stdout=writable) for _ in range(12)]}
        os.close(writable)
        holding: list[int] = []
        running: Counter[str] = Counter()
        total: Counter[str] = Counter()
        ended = 0
        while ended < len(jobs):
            event, device, *_, last = said.readline().split()
            if event == "start":
                running[device] += 1
                total[device] += 1
                assert running[device] <= 2
                holding.append(int(last))
            elif event == "end":
                running[device] -= 1
                ended += 1
            if len(holding) == 4:
                for pid in holding:
                    end(jobs[pid])
                holding = []
    assert total == {"0": 6, "1": 6}


def test_no_slot_is_lost_however_many_are_killed(
    start: Start, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Thirty processes, ten of which never end and are killed wherever they happen to be."""
    chance = random.Random(1)
    order = [*[JOB] * 10, *[SHORT_JOB] * 20]
    chance.shuffle(order)
    with (tmp_path / "said").open("a") as said:
        jobs = [(program, start(program, 2, stdout=said)) for program in order]
        victims = [job for program, job in jobs if program == JOB]
        survivors = [job for program, job in jobs if program == SHORT_JOB]
        for victim in chance.sample(victims, len(victims)):
            time.sleep(chance.uniform(0, 0.2))
            victim.kill()
        assert [job.wait() for job in victims] == [-signal.SIGKILL] * 10
        assert [job.wait() for job in survivors] == [0] * 20
    pids = {str(job.pid) for job in survivors}
    running: Counter[str] = Counter()
    for event, device, *_, last in map(str.split, (tmp_path / "said").read_text().splitlines()):
        if event in ("start", "end") and last in pids:
            running[device] += 1 if event == "start" else -1
            assert running[device] <= 2
    take = request.getfixturevalue("take")
    assert [place(take(DEVICES, 2)) for _ in range(4)] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_the_least_loaded_device_is_taken_not_the_lowest_slot(take: Callable[..., Slot]) -> None:
    first = take(DEVICES[:1], 3)
    take(DEVICES[:1], 3)
    take(DEVICES[:1], 3)
    take(DEVICES[1:], 3)
    give_back(first)
    assert place(take(DEVICES, 3)) == (1, 1)


def test_slots_of_processes_with_other_limits_count(take: Callable[..., Slot]) -> None:
    first, second = take(DEVICES[:1], 3), take(DEVICES[:1], 3)
    take(DEVICES[:1], 3)
    give_back(first)
    give_back(second)
    assert place(take(DEVICES, 1)) == (1, 0), "the third slot of the first device is taken"
    with pytest.raises(AssertionError, match="waits"):
        take(DEVICES, 1)


def test_who_waits_says_so_once_and_looks_ever_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    held = [claim(DEVICES, 1), claim(DEVICES, 1)]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            give_back(held[1])

    monkeypatch.setattr(slots, "time", SimpleNamespace(sleep=pause))
    caplog.clear()
    held.append(claim(DEVICES, 1))
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2])
    waiting, success = caplog.messages
    assert "all 2 slots on 2 device(s) are taken" in waiting
    assert "--resources gpu=N" in waiting
    assert "gpu_slots_per_device" in waiting
    assert success == "device 1 (GPU-bbbb), slot 0"
    for slot in held:
        give_back(slot)


@pytest.mark.parametrize("variable", ["SLURM_JOB_ID", "PBS_JOBID", "JOB_ID"])
def test_a_schedulers_job_uses_its_only_device(
    take: Callable[..., Slot], folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "17")
    assert [take(DEVICES[:1], 1) for _ in range(3)] == [Slot(0, 0, None)] * 3
    assert not folder.exists()


def test_a_schedulers_job_shares_its_devices_out_and_never_waits(
    take: Callable[..., Slot],
) -> None:
    job = {"SLURM_JOB_ID": "17"}
    take(DEVICES[:1], 2)
    take(DEVICES[:1], 2)
    taken = [place(take(DEVICES, 1, job)) for _ in range(6)]
    assert taken == [(1, 0), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)], "beyond the slots, evenly"


def test_an_empty_variable_is_no_schedulers_job(take: Callable[..., Slot]) -> None:
    nowhere = {"SLURM_JOB_ID": "", "PBS_JOBID": "", "JOB_ID": ""}
    take(DEVICES[:1], 1, nowhere)
    with pytest.raises(AssertionError, match="waits"):
        take(DEVICES[:1], 1, nowhere)


def test_any_name_of_a_device_is_a_file_of_its_own(
    take: Callable[..., Slot], folder: Path, tmp_path: Path
) -> None:
    names = ["MIG-GPU-8f/1/0", "MIG-GPU-8f_1_0", "../../x", "a.slot0", "a", "*"]
    taken = [place(take(names, 2)) for _ in range(2 * len(names))]
    assert taken == [(device, slot) for slot in range(2) for device in range(len(names))]
    assert len(list(folder.iterdir())) == 2 * len(names) + 1
    assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_is_the_users_alone(take: Callable[..., Slot], folder: Path) -> None:
    take(DEVICES, 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: folder.touch(),
        lambda folder: folder.symlink_to("nowhere"),
        lambda folder: folder.symlink_to(folder.parent),
    ],
    ids=["file", "dangling", "link"],
)
def test_what_is_no_folder_is_refused(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    with pytest.raises(UserError, match="not a folder of your own.*set TMPDIR") as error:
        claim(DEVICES, 1)
    assert str(folder) in str(error.value)


def test_another_users_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can change users, so this one takes itself for another."""
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    folder.with_name(f"fleeting-{other}").mkdir()
    with pytest.raises(UserError, match=f"fleeting-{other} is not a folder of your own"):
        claim(DEVICES, 1)


def test_a_temporary_folder_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="gone.*Set TMPDIR"):
        claim(DEVICES, 1)


@pytest.mark.parametrize(("devices", "count"), [((), 1), (DEVICES, 0)])
def test_nothing_to_share_is_a_programming_error(devices: Sequence[str], count: int) -> None:
    with pytest.raises(ValueError, match="nothing to share"):
        claim(devices, count)


def test_torch_is_not_imported() -> None:
    program = "import sys, fleeting.training.slots; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
