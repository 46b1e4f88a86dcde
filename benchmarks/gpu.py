"""Everything that needs a GPU, in one call of at most ten minutes.

The grid through Snakemake, the naive loop against the trainer in every precision, and the tests on
CUDA. It needs no network, only the project's environment. A step that takes too long is ended, and
the others still run; what each took is printed.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
#: What both benchmarks share, so that the second finds the crops of the first.
CROPS = ("--images-per-class", "120")
TRAINING = (
    str(HERE / "training.py"),
    # One process decodes slower than a GPU learns: the naive loop gets its eight at once.
    *("--sizes", "224", "--batch-sizes", "16", "--workers", "8", *CROPS),
    # After the first round a case that would take longer has its result.
    *("--precisions", "fp32", "tf32", "auto", "--rounds", "2", "--limit", "110"),
)
TESTS = [HERE.parent / "tests" / f"test_training_{name}.py" for name in ("cuda", "equivalence")]
GRID = (str(HERE / "grid.py"), "--slots", "4", "--repeats", "2", "--epochs", "5", "20", *CROPS)
#: By name, the arguments for Python and the seconds after which it is ended. A fifth of the paper's
#: epochs or fewer: what is done once weighs more here than in a run of a hundred. The first to ask
#: for them draws the crops, which takes a minute.
STEPS = {
    "tests": (["-m", "pytest", "-q", "-k", "cuda", *map(str, TESTS)], 70),
    "grid": ([*GRID], 240),
    "ResNet18": ([*TRAINING, "--models", "resnet18", "--epochs", "20"], 140),
    "ResNet152": ([*TRAINING, "--models", "resnet152", "--epochs", "4"], 140),
}


def ran(arguments: list[str], seconds: float) -> bool:
    """Run Python with these arguments for so long at most; whether it succeeded."""
    step = subprocess.Popen([sys.executable, *arguments], start_new_session=True)
    try:
        return step.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        # Also where this script itself is ended.
        if step.poll() is None:
            os.killpg(step.pid, signal.SIGKILL)
            step.wait()


def main() -> None:
    """Run every step, and fail after the last if one of them did."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    failed = []
    for name, (arguments, seconds) in STEPS.items():
        output = [] if name == "tests" else ["--output", str(RESULTS / f"gpu_{name.lower()}.json")]
        start = time.monotonic()
        if not ran([*arguments, *output], seconds):
            failed.append(name)
        print(f"{name}: {time.monotonic() - start:.0f} s of at most {seconds}", flush=True)
    sys.exit(f"failed or ended: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
