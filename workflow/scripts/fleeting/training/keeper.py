"""When a fold's state is saved, and what earlier processes did for the job."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from fleeting.training.checkpoint import Checkpoints, State
from fleeting.training.interruption import Requests, Stopped


@dataclass(frozen=True)
class Past:
    """What has been done for a job.

    Attributes:
        seconds: spent on its folds, up to the last checkpoint.
        resumed: the fold, and how many of its epochs were done, whenever a process resumed there.
        devices: the names of all devices that computed for it, this process's included.
        precision: the arithmetic of all of them.
    """

    seconds: float
    resumed: list[list[int]]
    devices: list[str]
    precision: str


@dataclass(frozen=True)
class Resumed:
    """What a process resumes from: what each finished fold came to, and the fold in progress."""

    finished: dict[int, State]
    current: State | None
    past: Past


def resume(checkpoints: Checkpoints, folds: Sequence[int], device: str, precision: str) -> Resumed:
    """What earlier processes left of a job.

    Args:
        checkpoints: where they left it.
        folds: the numbers of the job's folds, in order.
        device: the name of this process's device.
        precision: what this process would train in. Results in any other are discarded.
    """
    finished = {}
    for fold in folds:
        state = checkpoints.finished(fold)
        if state is not None:
            # Models are read again when written: those of all folds may not fit into memory.
            finished[fold] = {name: value for name, value in state.items() if name != "network"}
    left = [fold for fold in folds if fold not in finished]
    current = checkpoints.in_progress(left[0]) if left else None
    pasts = [Past(**state["past"]) for state in [*finished.values(), current] if state]
    past = max(pasts, key=lambda past: past.seconds, default=None)
    if past and past.precision != precision:
        logging.info(
            "the checkpoints were computed in %s and this device takes %s: training starts anew",
            past.precision,
            precision,
        )
        checkpoints.clear()
        past, finished, current = None, {}, None
    if past is None:
        return Resumed({}, None, Past(0.0, [], [device], precision))
    fold, epoch = left[0] if left else folds[-1], current["epoch"] if current else 0
    if not left:
        epoch = len(finished[fold]["history"])
    logging.info(
        "resuming: %d folds are finished, %d epochs of fold %d", len(finished), epoch, fold
    )
    devices = list(dict.fromkeys([*past.devices, device]))
    past = Past(past.seconds, [*past.resumed, [fold, epoch]], devices, precision)
    return Resumed(finished, current, past)


@dataclass
class Keeper:
    """Saves a fold's state every few minutes, when it is finished, and when asked to stop.

    By time, not by epochs: where an epoch takes a second, saving it would take about as long.

    Attributes:
        every: the least number of seconds between two checkpoints of a fold in progress.
        requests: whether the process was asked to stop.
        past: what was done before this process began.
    """

    checkpoints: Checkpoints
    every: float
    requests: Requests
    past: Past
    fold: int = 0
    last: State | None = None
    start: float = field(default_factory=time.perf_counter)
    saved: float = field(default_factory=time.perf_counter)

    def begin(self, fold: int) -> None:
        """Start with a fold; the time before the first does not count."""
        if not self.fold:
            self.start = self.saved = time.perf_counter()
        self.fold, self.last = fold, None

    def check(self) -> None:
        """Raise `Stopped` if the process was asked to stop, once the last epoch's end is saved."""
        if self.requests.received is not None:
            if self.last is not None:
                self._save(self.last)
            raise Stopped

    def keep(self, state: State) -> None:
        """Take the state after an epoch, and save it if it is time to."""
        self.last = state
        if time.perf_counter() - self.saved >= self.every:
            self._save(state)

    def finish(self, result: State) -> None:
        """Save what the fold came to."""
        self.checkpoints.save(self.fold, None, {**result, "past": self._past()})

    @property
    def seconds(self) -> float:
        """The seconds spent on the job's folds up to now, those of former processes included."""
        return self.past.seconds + time.perf_counter() - self.start

    def _save(self, state: State) -> None:
        self.checkpoints.save(self.fold, state["epoch"], {**state, "past": self._past()})
        self.last, self.saved = None, time.perf_counter()

    def _past(self) -> dict[str, object]:
        return {**asdict(self.past), "seconds": self.seconds}
