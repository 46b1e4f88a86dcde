"""Which device a training job uses: several jobs, each its own process, share several devices.

A device has a number of slots, and a slot is a lock file. The kernel releases a lock however its
holder dies, so that no slot is ever lost and nothing has to be cleaned up.
"""

import fcntl
import logging
import os
import re
import stat
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from itertools import count
from math import inf
from pathlib import Path
from urllib.parse import quote

from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: Where schedulers (Slurm, PBS, Grid Engine) tell a job its own number.
SCHEDULER_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "JOB_ID")
#: Seconds between two attempts to find a free slot: doubled after each, up to the longest.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0


@dataclass(frozen=True)
class Slot:
    """A place on a device.

    Attributes:
        device: a position in the list of devices.
        slot: the slot's number on that device, from 0.
        lock: the locked file: dropping or closing it, or the end of the process, releases the
            slot. None in a scheduler's job that has a single device.
    """

    device: int
    slot: int
    lock: FileIO | None


def claim(
    devices: Sequence[str], slots_per_device: int, environment: Mapping[str, str] = os.environ
) -> Slot:
    """Take a slot of the least loaded device; wait if all are taken.

    In a scheduler's job the scheduler has decided how many processes run: a single device is used
    as it is, several are shared evenly between the processes of the job, and none waits.

    Args:
        devices: the UUIDs of the devices that this process sees, in its order.
        slots_per_device: how many processes may use one device.
        environment: tells whether this is a scheduler's job.

    Raises:
        UserError: no lock can be taken in the temporary folder.
    """
    if not devices or slots_per_device < 1:
        raise ValueError(f"nothing to share: {slots_per_device} slots on each of {list(devices)}")
    scheduled = any(environment.get(name) for name in SCHEDULER_JOBS)
    if scheduled and len(devices) == 1:
        slot = Slot(0, 0, None)
    else:
        most = inf if scheduled else slots_per_device
        slot = _take(devices, most) or _wait(devices, most)
    log.info("device %d (%s), slot %d", slot.device, devices[slot.device], slot.slot)
    return slot


def _wait(devices: Sequence[str], most: float) -> Slot:
    """Retry until a slot is free."""
    log.info(
        "all %g slots on %d device(s) are taken: waiting for one. Lower --resources gpu=N to start "
        "fewer jobs at a time, or raise gpu_slots_per_device to let more share a device.",
        most * len(devices),
        len(devices),
    )
    pause = FIRST_PAUSE
    while True:
        time.sleep(pause)
        slot = _take(devices, most)
        if slot:
            return slot
        pause = min(2 * pause, LONGEST_PAUSE)


def _take(devices: Sequence[str], most: float) -> Slot | None:
    """The lowest free slot of the least loaded device; None: even that one has the most."""
    try:
        folder = _folder()
        # Serialised: probing a slot locks it briefly, which would make it look taken to others.
        with (folder / "claim.lock").open("wb") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)
            taken = [_taken(folder, device) for device in devices]
            device = min(range(len(devices)), key=lambda position: len(taken[position]))
            slot = next(number for number in count() if number not in taken[device])
            if len(taken[device]) >= most:
                return None
            lock = _try_lock(folder / f"{_prefix(devices[device])}{slot}.lock")
    except OSError as error:
        raise UserError(
            f"the slots of the devices cannot be locked in the temporary folder ({error}). Set "
            "TMPDIR to a folder on this machine's own disk that you may write to, and run again."
        ) from None
    assert lock is not None, "it was free, and the mutex keeps others from taking it"
    # A program that this process starts never inherits the file, but a forked copy of it does,
    # and would keep the slot after this process died.
    os.register_at_fork(after_in_child=partial(_close, weakref.ref(lock)))
    return Slot(device, slot, lock)


def _close(lock: "weakref.ref[FileIO]") -> None:
    """Close a file if it is still in use; a strong reference would keep its slot taken for ever."""
    if (file := lock()) is not None:
        file.close()


def _folder() -> Path:
    """The user's folder of lock files on this node; made if it is missing."""
    folder = Path(tempfile.gettempdir()) / f"fleeting-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise UserError(
            f"{folder} is not a folder of your own, as the locks of the devices' slots need. "
            "Remove it, or set TMPDIR to another folder on this machine's own disk, and run again."
        )
    return folder


def _taken(folder: Path, device: str) -> set[int]:
    """The taken slots of a device, those of processes that allow it more slots included."""
    pattern = re.compile(re.escape(_prefix(device)) + r"(\d+)\.lock")
    taken = set()
    for path in folder.iterdir():
        if match := pattern.fullmatch(path.name):
            lock = _try_lock(path)
            if lock is None:
                taken.add(int(match[1]))
            else:
                lock.close()
    return taken


def _prefix(device: str) -> str:
    """How the names of a device's lock files begin: safe and unique whatever its name."""
    return f"{quote(device, safe='')}.slot"


def _try_lock(path: Path) -> FileIO | None:
    """The file, opened and locked, or None if somebody else holds its lock."""
    lock = path.open("wb", buffering=0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
