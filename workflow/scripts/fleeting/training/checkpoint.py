"""Checkpoints of a job: what it needs to resume after it was killed, in a folder of its own.

Snakemake deletes the declared files of a job when it fails and before it starts again. The folder
is therefore not declared. A finished fold has one file, the fold in progress one for each of
its last saved epochs. A name holds what the file is, the key of all that the job depends on, and
the hash of both and the content:

    fold0003_done_{16 digits of the key}_{16 digits of the sha256}.pt
    fold0004_epoch0000007_{16 digits of the key}_{16 digits of the sha256}.pt

so that neither a corrupt file nor one of other settings is ever used.
"""

import errno
import hashlib
import io
import json
import logging
import pickle
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fleeting import code_in_use
from fleeting.files import remove_unfinished, write_bytes
from fleeting.training import locks
from fleeting.training.interruption import Stopped, StopRequest
from fleeting.training.state import as_bytes

log = logging.getLogger(__name__)

#: How many checkpoints of a fold in progress stay: the last, and one in case it is corrupt.
KEPT = 2
#: Seconds between two checks of whether another process still trains.
PAUSE = 1.0
#: The errors of a file system without locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)

State = dict[str, Any]


def key(facts: dict[str, Any]) -> str:
    """The sha256 of everything that a job depends on: the given facts and the code in use."""
    everything = {**facts, "code": code_in_use.digests()}
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


@contextmanager
def exclusive(folder: Path) -> Iterator[bool]:
    """Keep other processes from training the same job within the block.

    A process that outlived its Snakemake (or runs on another node of a cluster) may still train
    it: this one then waits, since two would mix what they write.

    Args:
        folder: the job's checkpoints. The lock is beside it and is never removed: a process that
            waits for it could otherwise lock a file that is gone.

    Yields:
        Whether another process trained this job until now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waited, lock = False, None
    try:
        while (lock := locks.acquire(folder.with_name(f".{folder.name}.lock"))) is None:
            if not waited:
                log.info("another process trains this already (%s): waiting for it", folder)
            waited = True
            time.sleep(PAUSE)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        log.warning("%s: no locks on this file system (%s)", folder, error.strerror)
    with lock or nullcontext():
        remove_unfinished(folder)
        yield waited


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint files of one job."""

    folder: Path
    key: str

    def save(self, fold: int, epoch: int | None, state: State) -> None:
        """Write a checkpoint, whole or not at all, and remove those that it replaces.

        Those of other settings or code go too: until now the user could still return to these.

        Args:
            fold: the fold's number.
            epoch: how many epochs are done; None: the fold is finished.
            state: whatever `torch.load` reads with `weights_only=True`.
        """
        name = f"fold{fold:04}_done" if epoch is None else f"fold{fold:04}_epoch{epoch:07}"
        content = as_bytes(state)
        start = f"{name}_{self.key[:16]}"
        path = self.folder / f"{start}_{self._digest(start, content)}.pt"
        write_bytes(content, path)
        keep = {path, *self._files("fold*_done")}
        if epoch is not None:
            keep.update(self._files(f"fold{fold:04}_epoch*")[:KEPT])
        for old in self.folder.glob("fold*.pt"):
            if old not in keep:
                old.unlink()

    def finished(self, fold: int) -> State | None:
        """The result of a finished fold; None: it is not finished, or its file is corrupt."""
        return self._last(f"fold{fold:04}_done")

    def in_progress(self, fold: int) -> State | None:
        """The last usable checkpoint of a fold in progress; None: there is none."""
        return self._last(f"fold{fold:04}_epoch*")

    def exist(self) -> bool:
        """Whether anything was saved of this job as it is now."""
        return bool(self._files("fold*"))

    def clear(self) -> None:
        """Remove the folder: the job is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self, name: str) -> list[Path]:
        """The files of this job as it is now, the furthest first."""
        return sorted(self.folder.glob(f"{name}_{self.key[:16]}_*.pt"), reverse=True)

    def _last(self, name: str) -> State | None:
        states = map(self._read, self._files(name))
        return next((state for state in states if state is not None), None)

    def _read(self, path: Path) -> State | None:
        """The state in a file; None, and the file is removed, if it is corrupt.

        A disk that cannot be read, or a lack of memory, is an error and costs no checkpoint.
        """
        start, _, digest = path.stem.rpartition("_")
        content = path.read_bytes()
        try:
            if self._digest(start, content) != digest:
                raise ValueError("its sha256 is not the one in its name")
            return dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
        except (ValueError, pickle.UnpicklingError) as error:
            log.warning("%s is corrupt and is removed: %s", path, error)
            path.unlink(missing_ok=True)
            return None

    def _digest(self, start: str, content: bytes) -> str:
        digest = hashlib.sha256(f"{start} {self.key}".encode())
        digest.update(content)
        return digest.hexdigest()[:16]


class Progress:
    """How far a job is: the state that earlier processes saved, and that this one adds.

    The fold in progress is saved by time, not by epochs: where an epoch takes a second, saving it
    would take about as long.

    Attributes:
        results: the result of each finished fold, by its number, without its model.
        current: the state of the first of the other folds, if an earlier process saved one.
        beside: what else changes in the fold in progress and is saved with its state.
        resumed: the fold, and how many of its epochs were done, whenever a process resumed there.
        devices: the names of all devices that computed for the job, this process's included.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        folds: Sequence[int],
        device: str,
        every: float,
        request: StopRequest,
    ) -> None:
        """Read what earlier processes saved.

        Args:
            checkpoints: the job's.
            folds: the numbers of the job's folds, in order.
            device: the name of this process's device.
            every: the least number of seconds between two checkpoints of a fold in progress.
            request: whether the process was asked to stop.
        """
        self.checkpoints, self.every, self.request = checkpoints, every, request
        self.results: dict[int, State] = {}
        for fold in folds:
            state = checkpoints.finished(fold)
            if state is not None:
                # Models are read again when written: together they may not fit into memory.
                self.results[fold] = {k: v for k, v in state.items() if k != "network"}
        left = [fold for fold in folds if fold not in self.results]
        self.current = checkpoints.in_progress(left[0]) if left else None
        self.devices = [device]
        self.resumed: list[list[int]] = []
        self._earlier_seconds = 0.0
        saved = [*self.results.values(), *([self.current] if self.current else [])]
        if saved:
            last = max((state["job"] for state in saved), key=lambda job: float(job["seconds"]))
            self.devices = list(dict.fromkeys([*last["devices"], device]))
            self._earlier_seconds = last["seconds"]
            if left:
                fold, epoch = left[0], self.current["epoch"] if self.current else 0
            else:
                fold, epoch = folds[-1], len(self.results[folds[-1]]["history"])
            self.resumed = [*last["resumed"], [fold, epoch]]
            log.info(
                "resuming: %d folds are finished, %d epochs of fold %d",
                *(len(self.results), epoch, fold),
            )
        elif any(checkpoints.folder.glob("fold*.pt")):
            log.info(
                "%s: the checkpoints are of other settings, code, examples, weights or precision; "
                "training starts from the beginning",
                checkpoints.folder,
            )
        self.fold: int | None = None
        self.beside: State = {}
        self._unsaved: State | None = None
        self._start = self._saved_at = time.perf_counter()

    def begin_fold(self, fold: int) -> None:
        """Begin a fold; the time before the first one is not part of `seconds`."""
        if self.fold is None:
            self._start = self._saved_at = time.perf_counter()
        self.fold, self.current, self._unsaved, self.beside = fold, None, None, {}

    def stop_if_asked(self) -> None:
        """Save the end of the last epoch and raise `Stopped` if the process was asked to stop."""
        if self.request.received:
            if self._unsaved is not None:
                self._save(self._unsaved)
            raise Stopped

    def end_epoch(self, state: State) -> None:
        """Take the fold's state after an epoch, and save it if it is time to."""
        self._unsaved = state
        if time.perf_counter() - self._saved_at >= self.every:
            self._save(state)

    def finish_fold(self, result: State) -> None:
        """Save the result of the fold."""
        assert self.fold is not None
        self.checkpoints.save(self.fold, None, {**result, "job": self._job()})

    @property
    def seconds(self) -> float:
        """The seconds spent on the job's folds up to now, those of earlier processes included."""
        return self._earlier_seconds + time.perf_counter() - self._start

    def _save(self, state: State) -> None:
        assert self.fold is not None
        saved = {**state, **self.beside, "job": self._job()}
        self.checkpoints.save(self.fold, state["epoch"], saved)
        self._unsaved, self._saved_at = None, time.perf_counter()

    def _job(self) -> State:
        return {"seconds": self.seconds, "resumed": self.resumed, "devices": self.devices}
