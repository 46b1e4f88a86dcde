"""Requests to stop: preemption, a time limit or Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: SIGTERM and SIGINT may end the shells and the Snakemake around a job before it has saved its
#: state. SIGURG, which they ignore, is what profiles/slurm asks for ahead of them.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGURG)
#: The exit status of a process that was asked to stop: a failure, so that Snakemake retries.
STATUS = 128 + signal.SIGTERM


class Stopped(Exception):
    """The job was asked to stop; its state is in a checkpoint."""


class Requests:
    """Remembers a signal until the training loop checks for it."""

    def __init__(self) -> None:
        """No signal has arrived yet."""
        self.received: signal.Signals | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler: the training loop checks between two steps, when its state is consistent."""
        self.received = signal.Signals(number)


@contextmanager
def listening() -> Iterator[Requests]:
    """Within the block these signals are remembered instead of ending the process."""
    requests = Requests()
    before = {number: signal.signal(number, requests.note) for number in SIGNALS}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
