"""The heartbeat of a training job: a small file that says how far it is, for `make progress`.

`heartbeat.json` is in the job's checkpoint folder from the moment it starts to train. It is
replaced as a whole when a fold begins and after every epoch, and touched every `PERIOD` seconds, so
that its modification time shows whether the job is alive. A job that finishes removes it; one that
is stopped or killed or that fails leaves it behind. It is one JSON object:

    experiment, model, lr   the run, as text
    repeat, part            numbers, from 1
    fold                    the number of the fold in progress
    folds_done              how many of the job's folds are finished
    folds                   how many folds the job has
    epoch                   how many epochs of the fold are done
    epochs                  how many epochs a fold has
    train_loss              of the last epoch; null before the first, and if it is not finite
    validation_loss         likewise
    images_per_second       training examples per second since this process started to train,
                            validation and prediction included; null before its first epoch
    device                  its name
    host, pid               the process
    started                 when it started to train: UTC, ISO 8601

Nothing else reads it, and no result depends on it: where it cannot be written there is none.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from fleeting.files import UNFINISHED

FILE_NAME = "heartbeat.json"
#: Seconds between two signs of life.
PERIOD = 10.0


class Heartbeat:
    """Writes a job's heartbeat file."""

    def __init__(self, folder: Path, **job: Any) -> None:
        """Take the job's folder and the values that stay as they are, `folds` and `epochs` too."""
        self.path = folder / FILE_NAME
        self._trained = 0
        self._start = time.monotonic()
        self._values: dict[str, Any] = {
            **job,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "images_per_second": None,
        }

    def begin_fold(self, fold: int, folds_done: int, epoch: int) -> None:
        """Report that a fold begins, or resumes after `epoch` epochs."""
        self._values |= {"fold": fold, "folds_done": folds_done, "epoch": epoch}
        self._values |= {"train_loss": None, "validation_loss": None}
        self._write()

    def end_epoch(
        self, epoch: int, train_loss: float, validation_loss: float, examples: int
    ) -> None:
        """Report an epoch, and the number of training examples in it."""
        self._trained += examples
        seconds = time.monotonic() - self._start
        self._values |= {
            "epoch": epoch,
            "train_loss": train_loss if isfinite(train_loss) else None,
            "validation_loss": validation_loss if isfinite(validation_loss) else None,
            "images_per_second": round(self._trained / seconds, 3),
        }
        self._write()

    def _write(self) -> None:
        # Not `files.write_text`, which waits for the disk: short epochs would take twice as long.
        unfinished = self.path.with_name(f".{FILE_NAME}{UNFINISHED}")
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(self._values, indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self.path)


@contextmanager
def beating(folder: Path, **job: Any) -> Iterator[Heartbeat]:
    """A job's heartbeat, whose file is touched for as long as the block runs."""
    heartbeat = Heartbeat(folder, **job)
    ended = threading.Event()

    def touch() -> None:
        while not ended.wait(PERIOD):
            with suppress(OSError):
                os.utime(heartbeat.path)

    threading.Thread(target=touch, daemon=True).start()
    try:
        yield heartbeat
    finally:
        ended.set()
