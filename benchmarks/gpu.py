"""Everything that needs a GPU, in one call that aims at ten minutes on an H100.

The tests on CUDA, the naive loop against the trainer in every precision, and the grid through
Snakemake. It needs no network, only the project's environment.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
STEPS = (
    ["-m", "pytest", "-q", str(HERE.parent / "tests" / "test_training_cuda.py")],
    [
        str(HERE / "training.py"),
        *("--models", "resnet18", "resnet152", "--sizes", "224", "--batch-sizes", "16"),
        # Enough epochs for the first one, whose steps are not recorded, to matter little.
        *("--precisions", "fp32", "tf32", "auto", "--epochs", "10", "--rounds", "2"),
        *("--workers", "8", "--images-per-class", "120", "--output", str(RESULTS / "gpu.json")),
    ],
    [
        str(HERE / "grid.py"),
        *("--slots", "4", "--repeats", "2", "--output", str(RESULTS / "gpu_grid.json")),
    ],
)


def main() -> None:
    """Run every step, and fail after the last if one of them did."""
    failed = [step for step in STEPS if subprocess.run([sys.executable, *step]).returncode]
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
