"""Optical flow: the pack job on two threads against a loop, on OpenCV's own threads and on one.

Run as `.venv/bin/python benchmarks/flow.py`; with `--quick` it takes few clips and rounds. It draws
a synthetic CASME II and crops it to 224 pixels before any clock starts. Both sides then are a
process each that reads the onset and the apex crop of every clip and writes TV-L1's flow, strain
included: the loop clip by clip, on OpenCV's own threads or on one; the job with its checks and
tables. What they write must agree.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import measure
import numpy as np
import scratch

from fleeting import tsv

OUTPUT = Path(__file__).parent / "results" / "flow.json"
NAME, DATABASE, CROP, INPUT = "flow", "casme2", "face", "motion"
SIDE, THREADS = 224, 2
CLIPS_PER_SUBJECT, QUICK_CLIPS_PER_SUBJECT = 6, 1
ROUNDS, QUICK_ROUNDS = 3, 2


def project(clips_per_subject: int) -> dict[str, Any]:
    """The config: four subjects, cropped to whole pictures, and their flow."""
    config = scratch.config(NAME, [SIDE], images_per_class=4)
    config["synthetic"]["clips_per_subject"] = clips_per_subject
    config["crops"] = {CROP: {"detector": "none", "size": SIDE}}
    config["inputs"] = {INPUT: {"kind": "flow", "crop": CROP, "algorithm": "tvl1"}}
    config["experiments"] = {INPUT: {"input": INPUT}}
    return config


def pairs(faces: Path) -> list[tuple[str, str]]:
    """The paths of the onset and the apex crop of each clip that has both, in the job's order."""
    found: dict[str, dict[str, str]] = {}
    for row in tsv.read_rows(faces, tsv.FACES):
        found.setdefault(row["sample"], {})[row["phase"]] = row["path"]
    both = (found[sample] for sample in sorted(found) if {"onset", "apex"} <= found[sample].keys())
    return [(crops["onset"], crops["apex"]) for crops in both]


def naive(results: Path, crops: list[tuple[str, str]], output: Path, threads: int | None) -> None:
    """The loop that one would write, all in one process; `threads` of None: OpenCV's own."""
    import cv2

    if threads is not None:
        cv2.setNumThreads(threads)
    algorithm = cv2.optflow.DualTVL1OpticalFlow.create()
    found = []
    for pair in crops:
        pictures = [cv2.imread(str(results / path)) for path in pair]
        before, after = (cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in pictures)
        flow = algorithm.calc(before, after, None)
        u_y, u_x = np.gradient(flow[..., 0])
        v_y, v_x = np.gradient(flow[..., 1])
        strain = np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)
        found.append(np.dstack([flow, strain]))
    np.save(output, np.array(found, np.float32))


def seconds_of_loop(
    results: Path, crops: list[tuple[str, str]], output: Path, threads: int | None
) -> float:
    """Seconds of the loop, the start of its process included."""
    arguments = (results, crops, output, threads)
    loop = multiprocessing.get_context("spawn").Process(target=naive, args=arguments)
    start = time.perf_counter()
    loop.start()
    loop.join()
    if loop.exitcode:
        raise RuntimeError("the loop failed")
    return time.perf_counter() - start


def seconds_of_job(results: Path, settings: dict[str, Any], table: Path) -> float:
    """Seconds of the pack job, the start of its process included."""
    command = [sys.executable, str(scratch.JOB), "examples.pack", "--name", INPUT]
    command += ["--database", DATABASE, "--settings", json.dumps(settings)]
    command += ["--annotations", str(results / f"annotations/{DATABASE}.tsv")]
    command += ["--faces", str(results / f"faces/{CROP}/{DATABASE}.tsv")]
    command += ["--results", str(results), "--threads", str(THREADS), "--accept-losses", "False"]
    command += ["--table", str(table), "--arrays", str(table.with_suffix(".npy"))]
    for kind in ("hashes", "excluded"):
        command += [f"--{kind}", str(table.with_suffix(f".{kind}.tsv"))]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(config: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Both sides in turns."""
    results = scratch.ROOT / config["results"]
    faces = results / f"faces/{CROP}/{DATABASE}.tsv"
    targets = [results / f"annotations/{DATABASE}.tsv", faces]
    made = [str(target.relative_to(scratch.ROOT)) for target in targets]
    scratch.snakemake(config, *made, "--cores", "all")
    crops, packed, looped = pairs(faces), results / "packed.tsv", results / "looped.npy"
    seconds = measure.alternate(
        {
            "naive": lambda: seconds_of_loop(results, crops, looped, None),
            "one thread": lambda: seconds_of_loop(results, crops, looped, 1),
            "job": lambda: seconds_of_job(results, config["inputs"][INPUT], packed),
        },
        rounds,
    )
    if not np.allclose(np.load(looped), np.load(packed.with_suffix(".npy")), atol=1e-5):
        raise RuntimeError("the loop and the job do not find the same flow")
    middle, low, high = measure.ratio(seconds["naive"], seconds["job"])
    single, single_low, single_high = measure.ratio(seconds["one thread"], seconds["job"])
    return {
        "name": f"TV-L1 at {SIDE} pixels, the pack job on {THREADS} threads against a loop",
        "clips": len(crops),
        "rounds": len(seconds["job"]),
        "naive_seconds_per_clip": round(statistics.median(seconds["naive"]) / len(crops), 4),
        "seconds_per_clip": round(statistics.median(seconds["job"]) / len(crops), 4),
        "ratio": round(middle, 3),
        "ratio_low": round(low, 3),
        "ratio_high": round(high, 3),
        "one_thread_ratio": round(single, 3),
        "one_thread_ratio_low": round(single_low, 3),
        "one_thread_ratio_high": round(single_high, 3),
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer clips and rounds")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    clips = QUICK_CLIPS_PER_SUBJECT if arguments.quick else CLIPS_PER_SUBJECT
    found = compare(project(clips), QUICK_ROUNDS if arguments.quick else ROUNDS)
    measure.write([found], arguments.output)
    print(
        "{name}: {seconds_per_clip} s a clip, {ratio} ({ratio_low} to {ratio_high}), of one thread "
        "{one_thread_ratio} ({one_thread_ratio_low} to {one_thread_ratio_high})".format(**found)
    )


if __name__ == "__main__":
    main()
