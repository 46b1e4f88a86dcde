"""How long Snakemake thinks: to plan the paper's 150 runs, and to find them finished.

The same is asked of 442 examples in one fold and in the 68 folds of leaving one subject out, whose
split is drawn: a fold must not cost anything. With `--against COMMIT` a second copy of the project,
as it was at that commit, takes turns with this one; its own benchmarks write its config. Seconds
are those of the clock; on a machine that does other work, the processor's say more.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
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


def cpu_seconds() -> float:
    """The processor's seconds of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass
class DryRun:
    """A dry run of everything, which must print what is expected.

    `root` is the project's folder, where it is not this one; `cpu` receives the processor's seconds
    of every round.
    """

    config: dict[str, Any]
    expected: str
    root: Path | None = None
    cpu: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Seconds of one round."""
        start, cpu = time.perf_counter(), cpu_seconds()
        text = scratch.snakemake(self.config, "all", "-n", root=self.root)
        taken = time.perf_counter() - start
        self.cpu.append(cpu_seconds() - cpu)
        if self.expected not in " ".join(text.split()):
            raise RuntimeError(f"{self.expected!r} is not in:\n{text}")
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
    """The project at a commit, in a folder of its own."""

    def __init__(self, commit: str) -> None:
        """Write the files of the commit, as `git archive` has them."""
        self.folder = scratch.ROOT / scratch.RESULTS / "planning" / "commit"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "archive", commit], cwd=scratch.ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x"], cwd=self.folder, input=archive.stdout, check=True)

    def config(self, function: str, name: str) -> dict[str, Any]:
        """The config that a function of its own `planning.py` makes."""
        code = f"import json, planning; print(json.dumps(planning.{function}({name!r})))"
        # Python looks for modules in the working directory first.
        command, place = [sys.executable, "-c", code], self.folder / "benchmarks"
        done = subprocess.run(command, cwd=place, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return dict(json.loads(done.stdout))


def measured(variants: dict[str, DryRun], rounds: int, against: dict[str, str]) -> list[Any]:
    """A measurement of each variant; for some, by name, how it compares with another."""
    taken = measure.alternate(variants, rounds)
    found = []
    for name, values in taken.items():
        cpu = variants[name].cpu
        row = {"name": name, "runs": 150, "seconds": statistics.median(values), "rounds": values}
        row |= {"cpu_seconds": statistics.median(cpu), "cpu_rounds": cpu}
        text = f"{name}, 150 runs: {row['seconds']:.2f} s ({row['cpu_seconds']:.2f} of a processor)"
        if other := against.get(name):
            ratios = measure.ratio(values, taken[other])
            cpu_ratio, *_ = measure.ratio(cpu, variants[other].cpu)
            named = dict(zip(("ratio", "ratio_low", "ratio_high"), ratios, strict=True))
            row |= {"compared_with": other, **named, "cpu_ratio": cpu_ratio}
            text += ", {:.2f} ({:.2f} to {:.2f}) x ".format(*ratios)
            text += f"({cpu_ratio:.2f} x of a processor) {other}"
        print(text)
        found.append(row)
    return found


def main() -> None:
    """Measure all in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", metavar="COMMIT", help="a commit to compare with")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    new, done = project("planning/new"), finished("planning/done")
    variants = {"planning": DryRun(new, TO_TRAIN), "no-op check": DryRun(done, FINISHED)}
    questions = tuple(variants)
    for folds in PROTOCOLS:
        drawn, done = of_folds(folds)
        variants[f"planning, {folds}"] = DryRun(drawn, TO_TRAIN)
        variants[f"no-op check, {folds}"] = DryRun(done, FINISHED)
    against = {f"{question}, 68 folds": f"{question}, 1 fold" for question in questions}
    if commit := arguments.against:
        other = Commit(commit)
        new = other.config("project", "planning/new")
        done = other.config("finished", "planning/done")
        variants[f"planning at {commit}"] = DryRun(new, TO_TRAIN, other.folder)
        variants[f"no-op check at {commit}"] = DryRun(done, FINISHED, other.folder)
        against |= {question: f"{question} at {commit}" for question in questions}
    measure.write(measured(variants, arguments.rounds, against), arguments.output)


if __name__ == "__main__":
    main()
