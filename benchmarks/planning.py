"""How long Snakemake thinks: to plan the paper's 150 runs, and to find them finished.

The same is asked of 442 examples in one fold and in the 68 folds of leaving one subject out, whose
split is drawn: a fold must not cost anything. With `--against COMMIT` a second copy of the project,
as it was at that commit, takes turns with this one; its own benchmarks write its config.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import leave_one_out
import measure
import scratch

OUTPUT = Path(__file__).parent / "results" / "planning.json"
GRID = {
    "models": ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
    "lrs": ["1e-03", "1e-04", "1e-05"],
    "repeats": 10,
}
RECIPE = {"weights": "none"}
#: As a dry run prints them.
TO_TRAIN, FINISHED = "train 150", "Nothing to be done"
PROTOCOLS = {
    # As many as the largest class has: no example is left out.
    "1 fold": {"kind": "random_images", "images_per_class": 250},
    "68 folds": {"kind": "leave_one_out", "group": "subject"},
}


def project(name: str) -> dict[str, Any]:
    """The config of a project of 150 runs of which nothing was made yet."""
    shutil.rmtree(scratch.ROOT / scratch.RESULTS / name, ignore_errors=True)
    return scratch.config(name, [32], 8, recipe=RECIPE, grid=GRID)


def finished(name: str) -> dict[str, Any]:
    """A project whose 150 runs Snakemake holds for done; the files themselves are empty."""
    config = project(name)
    finish(config)
    return config


def finish(config: dict[str, Any]) -> None:
    """Draw a project's split and make empty files of all that follows from it."""
    scratch.snakemake(config, "splits", "--cores", "all")
    summary = scratch.snakemake(config, "all", "--summary")
    for line in summary.splitlines():
        path = scratch.ROOT / line.split("\t")[0]
        if line.startswith(config["results"]) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    scratch.snakemake(config, "all", "--touch", "--cores", "all")


def seconds(config: dict[str, Any], expected: str) -> float:
    """Seconds of a dry run, which must have printed what is expected."""
    start = time.perf_counter()
    text = scratch.snakemake(config, "all", "-n")
    taken = time.perf_counter() - start
    if expected not in " ".join(text.split()):
        raise RuntimeError(f"{expected!r} is not in:\n{text}")
    return taken


def of_folds(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two configs of 442 examples under a protocol: with the split drawn alone, and finished."""
    results = scratch.RESULTS / "planning" / name.replace(" ", "_")
    shutil.rmtree(scratch.ROOT / results, ignore_errors=True)
    leave_one_out.write_database(scratch.ROOT / results / "databases")
    common = leave_one_out.database_and_input(results)
    block = {
        "input": "flow",
        "label_map": leave_one_out.LABEL_MAP,
        "protocol": PROTOCOLS[name],
        "recipe": RECIPE,
        "grid": GRID,
    }
    drawn, done = ({**common, "experiments": {state: block}} for state in ("drawn", "done"))
    scratch.snakemake(drawn, "splits", "--cores", "all")
    finish(done)
    return drawn, done


class Commit:
    """The project at a commit, in a folder of its own, whose benchmarks are called there."""

    def __init__(self, commit: str) -> None:
        """Write the files of the commit, as `git archive` has them."""
        self.folder = scratch.ROOT / scratch.RESULTS / "planning" / "commit"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "archive", commit], cwd=scratch.ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x"], cwd=self.folder, input=archive.stdout, check=True)

    def ask(self, call: str, *arguments: Any) -> Any:
        """What a function of its `planning.py` returns; arguments and result are JSON."""
        code = "import json, sys, planning; call, given = sys.argv[1:]; "
        code += "print(json.dumps(getattr(planning, call)(*json.loads(given))))"
        command = [sys.executable, "-c", code, call, json.dumps(arguments)]
        # Python looks for modules in the working directory first.
        done = subprocess.run(
            command, cwd=self.folder / "benchmarks", capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return json.loads(done.stdout)


def row(name: str, taken: list[float]) -> dict[str, Any]:
    """One measurement."""
    return {"name": name, "runs": 150, "seconds": statistics.median(taken), "rounds": taken}


def compared(taken: dict[str, list[float]], name: str, other: str) -> dict[str, float]:
    """How many times longer one dry run takes than the other, round by round."""
    names = ("ratio", "ratio_low", "ratio_high")
    return dict(zip(names, measure.ratio(taken[name], taken[other]), strict=True))


def main() -> None:
    """Measure all in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", metavar="COMMIT", help="a commit to compare with")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    new, done = project("planning/new"), finished("planning/done")
    variants = {
        "planning": partial(seconds, new, TO_TRAIN),
        "no-op check": partial(seconds, done, FINISHED),
    }
    for folds in PROTOCOLS:
        drawn, done = of_folds(folds)
        variants[f"planning, {folds}"] = partial(seconds, drawn, TO_TRAIN)
        variants[f"no-op check, {folds}"] = partial(seconds, done, FINISHED)
    compared_with = {f"{what}, 68 folds": f"{what}, 1 fold" for what in ("planning", "no-op check")}
    if arguments.against:
        other = Commit(arguments.against)
        new, done = other.ask("project", "planning/new"), other.ask("finished", "planning/done")
        at = f"at {arguments.against}"
        variants[f"planning {at}"] = partial(other.ask, "seconds", new, TO_TRAIN)
        variants[f"no-op check {at}"] = partial(other.ask, "seconds", done, FINISHED)
        compared_with |= {what: f"{what} {at}" for what in ("planning", "no-op check")}
    taken = measure.alternate(variants, arguments.rounds)
    found = [row(name, values) for name, values in taken.items()]
    for measured in found:
        text = f"{measured['name']}, 150 runs: {measured['seconds']:.2f} s"
        if reference := compared_with.get(measured["name"]):
            ratio = compared(taken, measured["name"], reference)
            measured |= {"compared_with": reference, **ratio}
            text += ", {ratio:.2f} ({ratio_low:.2f} to {ratio_high:.2f}) x ".format(**ratio)
            text += reference
        print(text)
    measure.write(found, arguments.output)


if __name__ == "__main__":
    main()
