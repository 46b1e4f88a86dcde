"""What the benchmarks share: runs in alternation, ratios, the machine and the file of results.

A machine that is shared, or that grows warm, is now faster and now slower. So variants take turns,
and a ratio compares what ran in the same round; seconds of different rounds are never compared.
"""

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

#: What a processor may be able to do that decides how fast a network runs on it.
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
PACKAGES = {
    "snakemake": "snakemake",
    "numpy": "numpy",
    "opencv": "opencv-contrib-python-headless",
    "torch": "torch",
    "torchvision": "torchvision",
}


def alternate(
    variants: Mapping[str, Callable[[], float]], rounds: int, limit: float = math.inf
) -> dict[str, list[float]]:
    """Run every variant once a round; every other round goes backwards.

    Args:
        variants: by name, a function that does the work and returns the seconds that count.
        rounds: at least 1.
        limit: seconds in all; no round is begun that would pass them if it took as long as the mean
            of those before.

    Returns:
        By name, the seconds of each round, in the order of the rounds.
    """
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    start = time.monotonic()
    for number in range(rounds):
        passed = time.monotonic() - start
        if number and passed * (number + 1) / number > limit:
            break
        for name in names if number % 2 == 0 else reversed(names):
            seconds[name].append(variants[name]())
    return seconds


def ratio(
    numerator_seconds: Sequence[float], denominator_seconds: Sequence[float]
) -> tuple[float, float, float]:
    """How many times longer the first takes: median, lowest and highest, round by round."""
    ratios = [
        above / below for above, below in zip(numerator_seconds, denominator_seconds, strict=True)
    ]
    return statistics.median(ratios), min(ratios), max(ratios)


def watch(command: Sequence[str | Path], folder: Path, log: Path) -> dict[str, Any]:
    """Run a command in a folder, its output in a log: its `seconds` and `peak_bytes` of memory.

    A command that fails is a `RuntimeError`.
    """
    found = log.with_suffix(".json")
    runner = [sys.executable, Path(__file__).with_name("peak.py"), found, *command]
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(list(map(str, runner)), cwd=folder, stdout=stream, stderr=stream)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{log.read_text(encoding='utf-8')}")
    return dict(json.loads(found.read_text(encoding="utf-8")))


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code; nothing that names the machine or its user."""
    facts = _cpuinfo()
    known = facts.get("flags", facts.get("Features", "")).split()
    return {
        "cpu": facts.get("model name") or _mac_model() or platform.machine(),
        "cores": _cores(),
        "flags": [flag for flag in FLAGS if flag in known],
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version for name in PACKAGES if (version := _version(PACKAGES[name]))},
        **_driver(),
    }


def write(measurements: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the measurements, each with the machine that it was taken on, as a JSON list."""
    facts = machine()
    whole = [{**measurement, "machine": facts} for measurement in measurements]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def _cpuinfo() -> dict[str, str]:
    """The first processor's facts where the system is Linux, or nothing."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _mac_model() -> str:
    if platform.system() != "Darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _driver() -> dict[str, str]:
    """The version of NVIDIA's driver, where there is one."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"driver": done.stdout.split()[0]}


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
