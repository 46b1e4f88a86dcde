"""Being asked to stop: a job that is preempted or short of time, or Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: SIGTERM and SIGINT may end the shells and the Snakemake around a job before it has saved its
#: state. SIGURG, which they ignore, is what profiles/slurm asks for ahead of them.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGURG)
#: What a process returns that a SIGTERM ended: no success, so that Snakemake tries again.
STATUS = 128 + signal.SIGTERM


class Requests:
    """Remembers a signal until somebody looks."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.received: signal.Signals | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler: whoever trains looks between two steps, when its state is whole."""
        self.received = signal.Signals(number)


@contextmanager
def listening() -> Iterator[Requests]:
    """Within the block these signals end nothing, they are remembered."""
    requests = Requests()
    before = {number: signal.signal(number, requests.note) for number in SIGNALS}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
