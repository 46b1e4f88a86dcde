"""What a job that trains or tests sets before PyTorch is imported: import this first."""

import gc
import os

# Collecting while importing is a tenth of such a job's start; `fleeting.logging.run` enables it.
gc.disable()
# A waiting thread of PyTorch's spins, and keeps a core from whoever has work for it: two jobs of
# two threads on two cores then took five times as long as with this. Alone, a job with small images
# takes a few percent longer.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
