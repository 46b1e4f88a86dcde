"""When a run's state is saved, and what the processes before this one did for the run."""

import logging
import time
from dataclasses import asdict, dataclass, field

from fleeting.training.checkpoint import Checkpoints, State
from fleeting.training.interruption import Requests


@dataclass(frozen=True)
class Past:
    """What former processes did for a run.

    Attributes:
        seconds: they trained for so long, up to their last checkpoints.
        resumed_from_epochs: how many epochs were done whenever a process went on from there.
        devices: the names of all devices that computed for it, this process's included.
        precision: the arithmetic of all of them.
    """

    seconds: float
    resumed_from_epochs: list[int]
    devices: list[str]
    precision: str


def resume(checkpoints: Checkpoints, device: str, precision: str) -> tuple[State | None, Past]:
    """The state that a run goes on from, if there is one, and what led to it.

    Args:
        checkpoints: where former processes left it.
        device: the name of this process's device.
        precision: what this process would train in. A state that was reached in another one is
            not gone on from.
    """
    state = checkpoints.load()
    if state and state["past"]["precision"] != precision:
        logging.info(
            "the checkpoint was trained in %s and this device takes %s: the run starts anew",
            state["past"]["precision"],
            precision,
        )
        # It may be further than any that this process saves, which would go in its favour.
        checkpoints.clear()
        state = None
    if state is None:
        return None, Past(0.0, [], [device], precision)
    past = Past(**state["past"])
    logging.info("going on after epoch %d, step %d", state["epoch"], state["step"])
    return state, Past(
        past.seconds,
        [*past.resumed_from_epochs, state["epoch"]],
        list(dict.fromkeys([*past.devices, device])),
        precision,
    )


@dataclass
class Keeper:
    """Saves a run's state every few minutes and when the process is asked to stop.

    By time, not by epochs: where an epoch takes a second, saving it would take about as long.

    Attributes:
        every: the least number of seconds between two checkpoints.
        requests: whether the process was asked to stop.
        past: what was done before this process began.
    """

    checkpoints: Checkpoints
    every: float
    requests: Requests
    past: Past
    start: float = field(default_factory=time.perf_counter)
    saved: float = field(default_factory=time.perf_counter)

    def begin(self) -> None:
        """Start the clock anew: what went before was no training."""
        self.start = self.saved = time.perf_counter()

    def stop(self) -> bool:
        """Whether this process was asked to stop."""
        return self.requests.received is not None

    def due(self) -> bool:
        """Whether the epoch that just ended is followed by a checkpoint."""
        return time.perf_counter() - self.saved >= self.every

    def save(self, state: State) -> None:
        """Save a state with what led to it."""
        past = {**asdict(self.past), "seconds": self.seconds}
        self.checkpoints.save({**state, "past": past})
        self.saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds of training up to now, those of former processes included."""
        return self.past.seconds + time.perf_counter() - self.start
