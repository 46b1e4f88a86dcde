"""How long Snakemake thinks: to plan the paper's 150 runs, and to find them finished."""

import argparse
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

import measure
import scratch

OUTPUT = Path(__file__).parent / "results" / "planning.json"
GRID = {
    "models": ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
    "lrs": ["1e-03", "1e-04", "1e-05"],
    "repeats": 10,
}


def project(name: str) -> dict[str, Any]:
    """The config of a project of 150 runs of which nothing was made yet."""
    shutil.rmtree(scratch.ROOT / scratch.RESULTS / name, ignore_errors=True)
    return scratch.config(name, [32], 8, recipe={"weights": "none"}, grid=GRID)


def finished(name: str) -> dict[str, Any]:
    """A project whose 150 runs Snakemake holds for done; the files themselves are empty."""
    config = project(name)
    scratch.snakemake(config, "splits", "--cores", "all")
    summary = scratch.snakemake(config, "all", "--summary")
    for line in summary.splitlines():
        path = scratch.ROOT / line.split("\t")[0]
        if line.startswith(config["results"]) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    scratch.snakemake(config, "all", "--touch", "--cores", "all")
    return config


def seconds(config: dict[str, Any], expected: str) -> float:
    """Seconds of a dry run, which must have printed what is expected."""
    start = time.perf_counter()
    text = scratch.snakemake(config, "all", "-n")
    taken = time.perf_counter() - start
    if expected not in " ".join(text.split()):
        raise RuntimeError(f"{expected!r} is not in:\n{text}")
    return taken


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    new, done = project("planning/new"), finished("planning/done")
    taken = measure.alternate(
        {
            "planning": partial(seconds, new, "train 150"),
            "no-op check": partial(seconds, done, "Nothing to be done"),
        },
        arguments.rounds,
    )
    found = [
        {"name": name, "runs": 150, "seconds": sorted(values)[len(values) // 2], "rounds": values}
        for name, values in taken.items()
    ]
    measure.write(found, arguments.output)
    for row in found:
        print(f"{row['name']} of 150 runs: {row['seconds']:.2f} s")


if __name__ == "__main__":
    main()
