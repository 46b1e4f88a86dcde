"""Seconds to draw a synthetic frame of 640 by 480 pixels on one core, and to write it as a JPEG."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import cv2
import measure

from fleeting.synthetic.database import write

OUTPUT = Path(__file__).parent / "results" / "rendering.json"
#: CASME II's camera takes frames of 640 by 480.
DATABASE = "casme2"
BLOCK: dict[str, Any] = {"subjects": {DATABASE: 2}, "clips_per_subject": 5, "frames_per_clip": 5}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    seconds = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            frames = Path(folder) / "frames"
            start = time.perf_counter()
            write(DATABASE, BLOCK, Path(folder) / "table.xlsx", frames)
            taken = time.perf_counter() - start
            images = [cv2.imread(str(path)).shape for path in frames.rglob("*.jpg")]
        if set(images) != {(480, 640, 3)}:
            raise RuntimeError(f"frames of another size: {set(images)}")
        seconds.append(taken / len(images))
    found = {
        "name": "a synthetic frame, drawn and written",
        "frames": len(images),
        "rounds": arguments.rounds,
        "seconds_median": round(statistics.median(seconds), 4),
        "seconds_high": round(max(seconds), 4),
    }
    measure.write([found], arguments.output)
    print(f"a synthetic frame: {found['seconds_median']} s, at most {found['seconds_high']} s")


if __name__ == "__main__":
    main()
