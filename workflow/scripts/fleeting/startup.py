"""What every job sets before anything heavy is imported: import this first."""

import gc
import os
import sys
from types import TracebackType

# Garbage collection during imports takes a tenth of a job's start-up; `fleeting.jobs` enables it.
gc.disable()
# PyTorch's idle threads spin and so block a core that other processes need: without this, two jobs
# of two threads on two cores took five times as long. With it, a job that runs alone on small
# images takes a few percent longer.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# numpy starts threads for linear algebra that spin while they wait, and nothing here needs them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _say_less(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print no traceback for Ctrl-C, which is not an error."""
    if issubclass(kind, KeyboardInterrupt):
        print("Stopped.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_less
