"""Face cropping against the loop that one would write by hand.

Run as `.venv/bin/python benchmarks/cropping.py`; with `--quick` it takes two minutes. It writes
`benchmarks/results/cropping.json`. In a scratch folder it draws a synthetic CASME II of the real
one's shape and lets annotations, frames and detector be made before any clock starts. Both sides
then crop the same frames with the same detector into new folders:

- the loop: one process that reads, detects in, cuts, resizes and writes one frame after the other,
  with OpenCV's own settings and threads;
- the crop stage with `box: clip`: a whole call of `snakemake --cores 2`, its start, its tables and
  its summary included; and, out of the same call, the crop job alone.

The same call after a subject was added says how many crops are written again.
"""

import argparse
import hashlib
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from measure import alternate, ratio, table, watch, write

from fleeting import tsv
from fleeting.settings import variant

ROOT = Path(__file__).resolve().parents[1]
JOB = [sys.executable, str(ROOT / "workflow" / "scripts" / "job.py")]
OUTPUT = Path(__file__).parent / "results" / "cropping.json"
DATABASE = "casme2"
DETECTOR: dict[str, Any] = {"kind": "blazeface", "confidence": 0.5, "weights": None}
SIZE = 224
#: CASME II has 26 subjects and 247 clips.
SUBJECTS, QUICK_SUBJECTS = 26, 8
ROUNDS, QUICK_ROUNDS = 5, 3
CLIPS = 10
#: The crop job whose memory is measured gets this many times the clips of a subject.
MORE_CLIPS = 10
CORES = 2
#: Relative to the scratch folder, as the config names them.
TABLE = "databases/CASME2/CASME2-coding-20190701.xlsx"
FRAMES = "databases/CASME2/CASME2_RAW_selected"
CROPS = ("clip", "frame")
CONFIG: dict[str, Any] = {
    "databases": {DATABASE: {"table": TABLE, "frames": FRAMES}},
    "crops": {box: {"box": box, "size": SIZE, "detector": DETECTOR} for box in CROPS},
    "inputs": {box: {"kind": "image", "crop": box} for box in CROPS},
    "experiments": {box: {"input": box} for box in CROPS},
}


class Stage:
    """The crop stage of a project in a scratch folder, with all that goes before it done."""

    def __init__(self, folder: Path, subjects: int) -> None:
        """Draw the database and make annotations, frames and detector."""
        self.folder, self.subjects = folder, subjects
        self._draw()
        # Every JSON text is YAML as well.
        (folder / "benchmark.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")
        self._snakemake(CORES, self.frames_table, self.weights.with_suffix(".json"))

    def _draw(self) -> None:
        block: dict[str, Any] = {"clips_per_subject": CLIPS, "frames_per_clip": 3}
        block["subjects"] = {DATABASE: self.subjects}
        arguments = ["--database", DATABASE, "--settings", json.dumps(block), "--table", TABLE]
        arguments += ["--frames", FRAMES, "--truth", "truth.tsv"]
        subprocess.run([*JOB, "synthetic.database", *arguments], cwd=self.folder, check=True)

    @property
    def frames_table(self) -> Path:
        """The database's table of frames."""
        return self.folder / f"results/frames/phases/{DATABASE}.tsv"

    @property
    def weights(self) -> Path:
        """The folder of the detector's weights."""
        return self.folder / f"results/weights/detectors/{DETECTOR['kind']}"

    def run(self, box: str, cores: int) -> tuple[float, float]:
        """Crop everything again.

        Returns:
            The seconds of the whole call, and those of the crop job.
        """
        faces = self.folder / f"results/faces/{box}"
        shutil.rmtree(faces, ignore_errors=True)
        whole = self._snakemake(cores, faces / f"{DATABASE}.tsv")
        return whole, _seconds_of_job(
            self.folder / f"results/benchmarks/faces/{box}/{DATABASE}.tsv"
        )

    def add_subject(self, box: str) -> dict[str, Any]:
        """Draw the database with one subject more and run the stage: how many crops it writes."""
        faces = self.folder / f"results/faces/{box}"
        before = {path: path.stat().st_mtime_ns for path in faces.rglob("*.png")}
        self.subjects += 1
        self._draw()
        self._snakemake(CORES, faces / f"{DATABASE}.tsv")
        after = {path: path.stat().st_mtime_ns for path in faces.rglob("*.png")}
        written = sum(before.get(path) != time for path, time in after.items())
        return {"name": "one added subject", "crops": len(after), "crops_written": written}

    def digest(self, box: str) -> dict[str, str]:
        """The sha256 of every crop and table of the last run, by path."""
        faces = self.folder / f"results/faces/{box}"
        files = [path for path in sorted(faces.rglob("*")) if path.is_file()]
        return {
            str(path.relative_to(faces)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def memory(self, times: int) -> float:
        """The peak memory in MiB of a crop job of a subject with that many times its clips."""
        # The table is sorted: the first rows are the first subject's, three a clip.
        rows = tsv.read_rows(self.frames_table, tsv.FRAMES)[: 3 * CLIPS]
        samples = {row["sample"] for row in rows}
        more = []
        for number in range(times):
            names = {name: str(Path(name).parent / str(number)) for name in samples}
            for row in rows:
                sample = names[row["sample"]]
                more.append({**row, "sample": sample, "image": f"{sample}/{row['phase']}"})
        tsv.write_rows(more, self.folder / "more.tsv", tsv.FRAMES)
        command = [*JOB, *"faces.crop --results results --crop memory --source raw".split()]
        command += ["--database", DATABASE, "--root", FRAMES, "--frames", "more.tsv"]
        command += ["--settings", json.dumps(CONFIG["crops"]["clip"])]
        command += ["--weights", str(self.weights), "--threads", str(CORES)]
        command += "--accept-losses False --faces faces.tsv --excluded excluded.tsv".split()
        done = watch(command, self.folder, self.folder / "memory.log")
        return float(done["peak_bytes"] / 1024**2)

    def _snakemake(self, cores: int, *targets: Path) -> float:
        """Seconds of a call that makes the targets."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--configfile", "benchmark.yaml", "--cores", str(cores)]
        command += [str(target.relative_to(self.folder)) for target in targets]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return seconds


def naive(frames_table: Path, frames: Path, weights: Path, crops: Path) -> None:
    """The loop that one would write: a face is searched in every frame, all in one process."""
    import cv2

    from fleeting.faces.box import square_around
    from fleeting.faces.face_of_frame import choose

    module, settings = variant("detector", DETECTOR)
    detector = module.load(weights, settings)
    # Loading the detector asked for one thread; this is OpenCV's own number again.
    cv2.setNumThreads(-1)
    for row in tsv.read_rows(frames_table, tsv.FRAMES):
        image = cv2.imread(str(frames / row["path"]))
        assert image is not None, row["path"]
        height, width = image.shape[:2]
        face = choose(detector.detect(image), settings.confidence, width, height)
        square = square_around(face.box, module.MARGIN)
        face_alone = image[max(square.y0, 0) : square.y1, max(square.x0, 0) : square.x1]
        target = crops / f"{row['image']}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), cv2.resize(face_alone, (SIZE, SIZE)))


def time_naive(stage: Stage) -> float:
    """Seconds of the loop, the start of its process included."""
    crops = stage.folder / "naive"
    shutil.rmtree(crops, ignore_errors=True)
    arguments = (stage.frames_table, stage.folder / FRAMES, stage.weights, crops)
    loop = multiprocessing.get_context("spawn").Process(target=naive, args=arguments)
    start = time.perf_counter()
    loop.start()
    loop.join()
    seconds = time.perf_counter() - start
    written = sum(1 for _ in crops.rglob("*.png"))
    if loop.exitcode or written != len(tsv.read_rows(stage.frames_table, tsv.FRAMES)):
        raise RuntimeError(f"the loop failed after {written} crops")
    return seconds


def compare(stage: Stage, rounds: int) -> list[dict[str, Any]]:
    """The loop and the stage in turns: a measurement of the whole call and one of the job."""
    jobs: list[float] = []

    def crop() -> float:
        whole, alone = stage.run("clip", CORES)
        jobs.append(alone)
        return whole

    seconds = alternate({"naive": lambda: time_naive(stage), "whole": crop}, rounds)
    images = len(tsv.read_rows(stage.frames_table, tsv.FRAMES))
    sides = {"whole call": seconds["whole"], "crop job alone": jobs}
    return [
        _comparison(f"crop stage, box: clip, {CORES} cores, {name}", images, seconds["naive"], own)
        for name, own in sides.items()
    ]


def check_bytes(stage: Stage) -> dict[str, Any]:
    """Crop in either box mode on one core and on two: every crop and table must be the same."""
    files = 0
    for box in CROPS:
        digests = []
        for cores in (CORES, 1):
            stage.run(box, cores)
            digests.append(stage.digest(box))
        if digests[0] != digests[1]:
            raise RuntimeError(f"box: {box}: crops or tables depend on the number of cores")
        files += len(digests[0])
    return {"name": f"same bytes on 1 and {CORES} cores, both box modes", "files": files}


def measure_memory(stage: Stage) -> dict[str, Any]:
    """The peak memory of a crop job, and of one with many times the clips."""
    few, many = stage.memory(1), stage.memory(MORE_CLIPS)
    return {
        "name": f"peak memory of a crop job, {MORE_CLIPS} times the clips",
        "clips": [CLIPS, MORE_CLIPS * CLIPS],
        "mebibytes": [round(few, 1), round(many, 1)],
        "ratio": round(many / few, 3),
    }


def show(measurements: Sequence[dict[str, Any]]) -> str:
    """The comparisons as a table for the screen."""
    columns = {
        "naive images/s": "naive_images_per_second",
        "images/s": "images_per_second",
        "ratio": "ratio",
        "low": "ratio_low",
        "high": "ratio_high",
    }
    rows = [
        (measured["name"], *(f"{measured[key]:.2f}" for key in columns.values()))
        for measured in measurements
    ]
    return table([("", *columns), *rows])


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer subjects and rounds")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder).resolve(), QUICK_SUBJECTS if quick else SUBJECTS)
        measurements = compare(stage, QUICK_ROUNDS if quick else ROUNDS)
        print(show(measurements))
        identical, memory = check_bytes(stage), measure_memory(stage)
        added = stage.add_subject("clip")
    print(f"{identical['name']}: {identical['files']} files")
    print("{}: {} MiB, {} MiB".format(memory["name"], *memory["mebibytes"]))
    print("{name}: {crops_written} of {crops} crops are written".format(**added))
    write([*measurements, identical, memory, added], OUTPUT)


def _comparison(
    name: str, images: int, naive_seconds: Sequence[float], seconds: Sequence[float]
) -> dict[str, Any]:
    middle, low, high = ratio(naive_seconds, seconds)
    return {
        "name": name,
        "images": images,
        "rounds": len(seconds),
        "naive_seconds": round(statistics.median(naive_seconds), 3),
        "seconds": round(statistics.median(seconds), 3),
        "naive_images_per_second": round(images / statistics.median(naive_seconds), 2),
        "images_per_second": round(images / statistics.median(seconds), 2),
        "ratio": round(middle, 3),
        "ratio_low": round(low, 3),
        "ratio_high": round(high, 3),
    }


def _seconds_of_job(benchmark: Path) -> float:
    """The seconds in a table that Snakemake's `benchmark:` wrote."""
    header, line = benchmark.read_text(encoding="utf-8").splitlines()
    return float(dict(zip(header.split("\t"), line.split("\t"), strict=True))["s"])


if __name__ == "__main__":
    main()
