"""Settings of every job that must precede heavy imports: import this first."""

import gc
import os

# Garbage collection during imports takes a tenth of a job's start-up; `fleeting.jobs` enables it.
gc.disable()
# PyTorch's idle threads spin and so block a core that other processes need: without this, two jobs
# of two threads on two cores took five times as long. With it, a job that runs alone on small
# images takes a few percent longer.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# numpy starts threads for linear algebra that spin while they wait, and nothing here needs them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# No database has larger pictures. OpenCV refuses those that state more pixels before it decodes
# them, so that a damaged or malicious file cannot fill the memory.
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = "64000000"
