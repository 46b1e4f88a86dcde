"""What every job sets before anything heavy is imported: import this first."""

import gc
import os
import sys
from types import TracebackType

# Collecting while importing is a tenth of such a job's start; `fleeting.jobs` enables it.
gc.disable()
# A waiting thread of PyTorch's spins, and keeps a core from whoever has work for it: two jobs of
# two threads on two cores then took five times as long as with this. Alone, a job with small images
# takes a few percent longer.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# numpy starts threads for its algebra that burn time while they wait, and nothing here uses them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _say_less(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C is not an error to show a traceback of."""
    if issubclass(kind, KeyboardInterrupt):
        print("Stopped.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_less
