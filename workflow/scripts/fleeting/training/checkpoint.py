"""Checkpoints of a run: what it needs to go on after it was killed, in a folder of its own.

Snakemake deletes the declared files of a job that failed, and before it starts one again. The
folder is therefore not declared. A checkpoint's name holds its position in the run, the key of all
that the run depends on, and the hash of the file's own bytes:

    epoch0007_step0012_{16 digits of the key}_{16 digits of the sha256}.pt

so that neither a file that is torn nor one of other settings is ever loaded.
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

NAME = re.compile(r"epoch(\d{4,})_step(\d{4,})_([0-9a-f]{16})_([0-9a-f]{16})\.pt")
#: Below a run's folder: files that could not be used, kept for whoever wants to know why.
SET_ASIDE = "set_aside"
#: Locked by the process that trains the run.
LOCK = ".lock"
#: How many checkpoints a run keeps: the last one, and one in case that it cannot be read.
KEPT = 2
#: Seconds between two looks whether another process still trains the run.
PAUSE = 1.0
SCRIPTS = Path(__file__).parents[2]

State = dict[str, Any]


def key(facts: dict[str, Any]) -> str:
    """The sha256 of everything that a run depends on: the given facts and the code in use."""
    everything = {**facts, "code": _code()}
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def _code() -> dict[str, str]:
    """The sha256 of each of this project's files that this process has imported."""
    # By name first: looking for the places of PyTorch's two thousand modules takes a while.
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
    """The checkpoints of one run; made by `of_run`, which keeps other processes out."""

    folder: Path
    key: str
    #: Whether another process trained this run until now.
    waited: bool

    def save(self, state: State) -> None:
        """Write a checkpoint, whole or not at all, and remove all but the last two of this run.

        Those of other settings or code go too: until now one might have gone back to these.

        Args:
            state: `epoch` and `step`, where the run stands, and whatever `torch.load` reads with
                `weights_only=True`.
        """
        content = as_bytes({**state, "key": self.key})
        digest = hashlib.sha256(content).hexdigest()
        name = f"epoch{state['epoch']:04}_step{state['step']:04}_{self.key[:16]}_{digest[:16]}.pt"
        write_bytes(content, self.folder / name)
        # One for each place in the run: being asked to stop just after an epoch saves it again.
        here = name[: name.index(self.key[:16])]
        for twin in self._own():
            if twin.name.startswith(here) and twin.name != name:
                twin.unlink()
        kept = self._own()[:KEPT]
        for old in self.folder.glob("*.pt"):
            if old not in kept and NAME.fullmatch(old.name):
                old.unlink()

    def load(self) -> State | None:
        """The last checkpoint that is whole and belongs to this run as it is now; None: no such.

        A file that is torn or foreign is set aside without being loaded.
        """
        for path in sorted(self.folder.glob("*.pt")):
            if not NAME.fullmatch(path.name):
                self._set_aside(path, "it is not called like a checkpoint")
        own = self._own()
        if not own and any(self.folder.glob("*.pt")):
            log.info(
                "%s: the checkpoints are of other settings, code, images or weights; "
                "this run starts anew",
                self.folder,
            )
        for path in own:
            state = self._read(path)
            if state is not None:
                return state
        return None

    def clear(self) -> None:
        """Remove all checkpoints: the run is done. What was set aside stays."""
        for path in self.folder.glob("*.pt"):
            path.unlink()

    def _own(self) -> list[Path]:
        """The checkpoints of this run as it is now, the furthest first."""
        found = []
        for path in self.folder.glob("*.pt"):
            match = NAME.fullmatch(path.name)
            if match and match[3] == self.key[:16]:
                found.append((int(match[1]), int(match[2]), path))
        return [path for *_, path in sorted(found, reverse=True)]

    def _read(self, path: Path) -> State | None:
        try:
            content = path.read_bytes()
        except OSError as error:
            self._set_aside(path, f"it cannot be read ({error.strerror})")
            return None
        if not hashlib.sha256(content).hexdigest().startswith(path.stem.rsplit("_", 1)[1]):
            self._set_aside(path, "it is torn or was changed: its sha256 is not the one it names")
            return None
        try:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:
            reason = str(error).splitlines()[0]
            self._set_aside(path, f"it cannot be loaded safely ({reason})")
            return None
        if not isinstance(state, dict) or state.get("key") != self.key:
            self._set_aside(path, "it is not a checkpoint of this run")
            return None
        return state

    def _set_aside(self, path: Path, reason: str) -> None:
        aside = self.folder / SET_ASIDE
        aside.mkdir(exist_ok=True)
        path.replace(aside / path.name)
        log.warning("%s is set aside in %s: %s", path, aside.name, reason)


@contextmanager
def of_run(folder: Path, run_key: str) -> Iterator[Checkpoints]:
    """The checkpoints of a run, for this process alone.

    A process that outlived its Snakemake (or runs on another node of a cluster) may still train
    the same run: this one then waits for it, since two would mix what they write.
    """
    lock, waited = _locked(folder)
    with lock:
        remove_unfinished(folder)
        yield Checkpoints(folder, run_key, waited)
        empty = not any(path.name != LOCK for path in folder.iterdir())
        if empty:
            (folder / LOCK).unlink(missing_ok=True)
    if empty:
        # After the lock is closed: NFS keeps a file that is open under another name. And another
        # process may use the folder by now.
        with suppress(OSError):
            folder.rmdir()


def _locked(folder: Path) -> tuple[IO[str], bool]:
    """The folder's lock file, locked until it is closed, and whether somebody else had it."""
    waited = False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            # To append: who waits must not wipe out whom it waits for.
            lock = (folder / LOCK).open("a+", encoding="utf-8")
        except FileNotFoundError:
            # Who had it removes the folder when the run is done, and did so just now.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waited:
                lock.seek(0)
                log.info("%s trains this run already: waiting for it", lock.read().strip())
            waited = True
            lock.close()
            time.sleep(PAUSE)
            continue
        except OSError as error:
            log.warning("%s: no locks on this file system (%s)", folder, error.strerror)
        # This may be a file that was removed since.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat()):
                # Only for whoever waits: a full disk is no reason not to train.
                with suppress(OSError):
                    lock.truncate(0)
                    os.write(
                        lock.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode()
                    )
                return lock, waited
        lock.close()
