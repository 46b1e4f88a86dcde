"""Checkpoints of a job: what it needs to resume after it was killed, in a folder of its own.

Snakemake deletes the declared files of a job that failed, and before it starts one again. The
folder is therefore not declared. A finished fold has one file, the fold in progress one for each
kept epoch. A name holds the place in the job, the key of all that the job depends on, and the hash
of the file's own bytes:

    fold0003_done_{16 digits of the key}_{16 digits of the sha256}.pt
    fold0004_epoch0007_{16 digits of the key}_{16 digits of the sha256}.pt

so that neither a corrupt file nor one of other settings is ever loaded.
"""

import fcntl
import hashlib
import io
import json
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from fleeting.files import remove_unfinished, write_bytes
from fleeting.paths import sha256
from fleeting.training.state import as_bytes

log = logging.getLogger(__name__)

NAME = re.compile(r"fold(\d{4,})_(done|epoch(\d{4,}))_([0-9a-f]{16})_([0-9a-f]{16})\.pt")
#: Below a job's folder: files that could not be used, kept for inspection.
UNUSABLE = "unusable"
#: Locked by the process that trains.
LOCK = ".lock"
#: How many checkpoints of a fold in progress stay: the last, and one in case it is corrupt.
KEPT = 2
#: Seconds between two checks whether another process still trains.
PAUSE = 1.0
SCRIPTS = Path(__file__).parents[2]

State = dict[str, Any]


def key(facts: dict[str, Any]) -> str:
    """The sha256 of everything that a job depends on: the given facts and the code in use."""
    everything = {**facts, "code": _code()}
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def _code() -> dict[str, str]:
    """The sha256 of each of this project's files that this process has imported."""
    # By name first: resolving the files of PyTorch's two thousand modules takes a while.
    roots = ("__main__", __name__.partition(".")[0])
    names = [name for name in list(sys.modules) if name.partition(".")[0] in roots]
    files = {getattr(sys.modules[name], "__file__", None) for name in names}
    own = sorted(Path(file).resolve() for file in files if file)
    scripts = SCRIPTS.resolve()
    return {
        str(file.relative_to(scripts)): sha256(file) for file in own if file.is_relative_to(scripts)
    }


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one job; made by `of_job`, which keeps other processes out."""

    folder: Path
    key: str
    #: Whether another process trained this job until now.
    waited: bool

    def save(self, fold: int, epoch: int | None, state: State) -> None:
        """Write a checkpoint, whole or not at all, and remove those that it replaces.

        Those of other settings or code go too: until now the user could still return to these.

        Args:
            fold: the fold's number.
            epoch: the epochs that are done; None: the fold is finished.
            state: whatever `torch.load` reads with `weights_only=True`.
        """
        place = "done" if epoch is None else f"epoch{epoch:04}"
        content = as_bytes({**state, "key": self.key, "place": f"fold{fold:04}_{place}"})
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / f"fold{fold:04}_{place}_{self.key[:16]}_{digest[:16]}.pt"
        write_bytes(content, path)
        stay = {path, *self._done().values()}
        if epoch is not None:
            before = [old for at, old in self._in_progress(fold) if at < epoch]
            stay.update(before[: KEPT - 1])
        for old in self.folder.glob("*.pt"):
            if old not in stay and NAME.fullmatch(old.name):
                old.unlink()

    def finished(self, fold: int) -> State | None:
        """What was saved of a finished fold; None: it is not finished, or its file is corrupt."""
        path = self._done().get(fold)
        return self._read(path) if path else None

    def in_progress(self, fold: int) -> State | None:
        """The last usable checkpoint of a fold in progress; None: there is none."""
        states = (self._read(path) for _, path in self._in_progress(fold))
        return next((state for state in states if state is not None), None)

    def started(self) -> bool:
        """Whether anything was saved of this job as it is now."""
        return bool(self._own())

    def examine(self) -> None:
        """Move files aside that are not checkpoints, and say so if all are of another job."""
        for path in self.folder.glob("*.pt"):
            if not NAME.fullmatch(path.name):
                self._move_aside(path, "its name is not that of a checkpoint")
        if not self.started() and any(self.folder.glob("*.pt")):
            log.info(
                "%s: the checkpoints are of other settings, code, examples or weights; training "
                "starts anew",
                self.folder,
            )

    def clear(self) -> None:
        """Remove all checkpoints: the job is done. What was moved aside stays."""
        for path in self.folder.glob("*.pt"):
            path.unlink()

    def _own(self) -> list[tuple[re.Match[str], Path]]:
        """The checkpoints of this job as it is now."""
        named = ((NAME.fullmatch(path.name), path) for path in sorted(self.folder.glob("*.pt")))
        return [(match, path) for match, path in named if match and match[4] == self.key[:16]]

    def _done(self) -> dict[int, Path]:
        return {int(match[1]): path for match, path in self._own() if match[2] == "done"}

    def _in_progress(self, fold: int) -> list[tuple[int, Path]]:
        """The checkpoints of a fold by the epochs that are done, the furthest first."""
        own = ((int(match[1]), match[3], path) for match, path in self._own())
        return sorted(
            ((int(epoch), path) for at, epoch, path in own if at == fold and epoch), reverse=True
        )

    def _read(self, path: Path) -> State | None:
        try:
            content = path.read_bytes()
        except OSError as error:
            self._move_aside(path, f"it cannot be read ({error.strerror})")
            return None
        if not hashlib.sha256(content).hexdigest().startswith(path.stem.rsplit("_", 1)[1]):
            self._move_aside(path, "it is corrupt: its sha256 is not the one in its name")
            return None
        try:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:
            reason = str(error).splitlines()[0]
            self._move_aside(path, f"it cannot be loaded safely ({reason})")
            return None
        place = path.name.rpartition(f"_{self.key[:16]}_")[0]
        if not isinstance(state, dict) or (state.get("key"), state.get("place")) != (
            self.key,
            place,
        ):
            self._move_aside(path, "it is not a checkpoint of this job")
            return None
        return state

    def _move_aside(self, path: Path, reason: str) -> None:
        aside = self.folder / UNUSABLE
        aside.mkdir(exist_ok=True)
        path.replace(aside / path.name)
        log.warning("%s is moved to %s/: %s", path, aside.name, reason)


@contextmanager
def of_job(folder: Path, job_key: str) -> Iterator[Checkpoints]:
    """The checkpoints of a job, for this process alone.

    A process that outlived its Snakemake (or runs on another node of a cluster) may still train
    the same job: this one then waits for it, since two would mix what they write.
    """
    lock, waited = _locked(folder)
    with lock:
        remove_unfinished(folder)
        yield Checkpoints(folder, job_key, waited)
        empty = not any(path.name != LOCK for path in folder.iterdir())
        if empty:
            (folder / LOCK).unlink(missing_ok=True)
    if empty:
        # After the lock is closed: NFS keeps a file that is open under another name. And another
        # process may use the folder by now.
        with suppress(OSError):
            folder.rmdir()


def _locked(folder: Path) -> tuple[IO[str], bool]:
    """The folder's lock file, locked until it is closed, and whether another process had it."""
    waited = False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # For appending: a process that waits must not erase the name of the one it waits for.
            lock = (folder / LOCK).open("a+", encoding="utf-8")
        except FileNotFoundError:
            # The process that had it is done and removed the folder just now.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waited:
                lock.seek(0)
                log.info("%s trains this already: waiting for it", lock.read().strip())
            waited = True
            lock.close()
            time.sleep(PAUSE)
            continue
        except OSError as error:
            log.warning("%s: no locks on this file system (%s)", folder, error.strerror)
        # Another process may have removed this file meanwhile.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat()):
                # Only for a process that waits: a full disk is no reason not to train.
                with suppress(OSError):
                    lock.truncate(0)
                    os.write(
                        lock.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode()
                    )
                return lock, waited
        lock.close()
