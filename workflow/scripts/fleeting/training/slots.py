"""Choosing a GPU for a training job: several jobs, each its own process, share several devices.

A device has a number of slots, and a slot is a lock file.
"""

import logging
import os
import stat
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path

from fleeting.errors import UserError
from fleeting.training import locks

log = logging.getLogger(__name__)

#: The variables in which schedulers (Slurm, PBS, Grid Engine) tell a job its number.
SCHEDULER_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "JOB_ID")
#: Seconds between two attempts to find a free slot.
PAUSE = 1.0


@dataclass(frozen=True)
class Slot:
    """The right to train on a device.

    Attributes:
        device: a position in the list of devices.
        lock: the locked file; dropping it, or the end of the process, releases the slot. None in a
            scheduler's job that has a single device.
    """

    device: int
    lock: FileIO | None


def acquire(devices: Sequence[str], slots_per_device: int) -> Slot:
    """Take the first free slot, filling the first slot of every device first; wait if none is free.

    In a scheduler's job none waits, since the scheduler decides how many processes run: a single
    device is used as it is, and several devices get further slots.

    Args:
        devices: the UUIDs of the devices that this process sees, in its order. They name the
            locks, since processes may see different devices (`CUDA_VISIBLE_DEVICES`).
        slots_per_device: how many processes may use one device.

    Raises:
        UserError: no lock can be taken in the temporary folder.
    """
    scheduled = any(os.environ.get(name) for name in SCHEDULER_JOBS)
    if scheduled and len(devices) == 1:
        return Slot(0, None)
    limit = len(devices) * slots_per_device
    numbers: Iterable[int] = count() if scheduled else range(limit)
    waiting = False
    while True:
        for number in numbers:
            slot, device = divmod(number, len(devices))
            lock = _lock(f"{devices[device]}-slot{slot}.lock")
            if lock is not None:
                log.info("device %d (%s), slot %d", device, devices[device], slot)
                return Slot(device, lock)
        if not waiting:
            log.info(
                "all %d slots on %d device(s) are taken: waiting for one. Lower --resources gpu=N "
                "to start fewer jobs at a time, or raise gpu_slots_per_device to let more share a "
                "device.",
                limit,
                len(devices),
            )
        waiting = True
        time.sleep(PAUSE)


def _lock(name: str) -> FileIO | None:
    """Lock a file in the user's own folder on this machine; None: another process has it."""
    folder = Path(tempfile.gettempdir()) / f"fleeting-{os.getuid()}"
    remedy = "Set TMPDIR to a folder on this machine's own disk that you may write to, and rerun."
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise UserError(f"{folder}, for the locks of GPUs, is not a folder of yours. {remedy}")
        return locks.acquire(folder / name)
    except OSError as error:
        raise UserError(f"the slots of the GPUs cannot be locked ({error}). {remedy}") from None
