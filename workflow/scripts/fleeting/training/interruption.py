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


class StopRequest:
    """Whether the process was asked to stop: training checks between two steps."""

    received = False


@contextmanager
def deferred_signals() -> Iterator[StopRequest]:
    """Within the block the signals are remembered instead of ending the process."""
    request = StopRequest()

    def remember(number: int, frame: FrameType | None) -> None:
        request.received = True

    before = {number: signal.signal(number, remember) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
