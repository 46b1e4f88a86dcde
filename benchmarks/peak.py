"""Run a command and write its peak memory and its seconds as JSON: `peak.py FILE COMMAND...`.

A process of its own, and a small one: on Linux what the system calls a process's peak begins with
that of the process that started it, and a benchmark has PyTorch in its memory.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
process.returncode = os.waitstatus_to_exitcode(status)
# macOS counts bytes, Linux kibibytes.
unit = 1 if sys.platform == "darwin" else 1024
found = {"seconds": seconds, "peak_bytes": usage.ru_maxrss * unit}
Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
sys.exit(process.returncode)
