"""Runs killed at random moments, process group and all, and resumed: every table as if never.

`make test` kills twice, from the splits to the training; `make test-chaos` twenty times, in the
whole pipeline (KILLS=n: n times).
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline import Project

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "2"))
#: Whether there is time for all of the pipeline.
WHOLE = KILLS > 5
TARGETS = [] if WHOLE else ["training"]
SEED = int(os.environ.get("SEED", "1"))
#: The training jobs: one with many folds and, where there is time, one with a single fold.
RUNS = 2 if WHOLE else 1
#: Every second kill waits for a training job that has this many epochs, or a fold, behind it.
OFTEN, EPOCHS_BEHIND = 2, 2
#: Seconds after which the awaited moment has not come: something hangs.
PATIENCE = 300
#: The name of a checkpoint.
CHECKPOINT = re.compile(r"fold(\d+)_(?:done|epoch(\d+))_.*\.pt")


def longer(config: dict[str, Any]) -> None:
    config["checkpoint_every_minutes"] = 0
    sgd = {"kind": "sgd", "momentum": 0.9}
    config["experiments"]["tiny"]["recipe"] |= {"epochs": 8, "optimiser": sgd}
    config["experiments"]["tiny"]["grid"]["models"] = ["small"]
    # Many folds inside one job.
    block = {**config["experiments"]["tiny"], "protocol": "leave_one_out"}
    block["grid"] = {"models": ["small"], "lrs": ["1e-02"], "repeats": 1}
    config["experiments"]["folds"] = block
    if not WHOLE:
        del config["experiments"]["tiny"]


class Attempt:
    """A call of snakemake in a process group of its own, its output in a file."""

    def __init__(self, project: Project, number: int) -> None:
        self.output = project.folder.parent / f"attempt{number}.txt"
        self.experiments = project.folder / "results" / "experiments"
        # What earlier attempts saved, from which this one has yet to resume.
        self.former = set(self.checkpoints())
        command = [sys.executable, "-m", "snakemake", *TARGETS, "--cores", "2"]
        command += ["--configfile", "tiny.yaml"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=project.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def finished(self) -> Counter[str]:
        return Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", self.text))

    def checkpoints(self) -> list[Path]:
        """Those of runs that are not done."""
        return [
            path
            for path in self.experiments.glob("*/checkpoints/*/fold*.pt")
            if not (path.parents[2] / run_of(path) / "run.json").exists()
        ]

    def epochs_behind(self) -> int:
        """The most epochs of a fold that this attempt saved in a run that is not done; 0: none."""
        own = set(self.checkpoints()) - self.former
        found = [match for path in own if (match := CHECKPOINT.fullmatch(path.name))]
        return max((int(match[2] or EPOCHS_BEHIND) for match in found), default=0)

    def wait(self, moment: float, epochs: int) -> bool:
        """Wait so many seconds, then until that many epochs are behind; whether it still runs."""
        end = time.monotonic() + moment
        latest = end + PATIENCE
        while time.monotonic() < end or self.epochs_behind() < epochs:
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < latest, self.text
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run_of(checkpoint: Path) -> str:
    """The folder of the run that a checkpoint belongs to, below the experiment's."""
    model, lr, repeat, part = checkpoint.parent.name.split("_")
    return f"runs/{model}/{lr}/{repeat}/{part}"


def outcome(project: Project) -> dict[str, bytes]:
    """All tables, and the models."""
    models = (project.folder / "results").rglob("models/fold*.pt")
    return {
        **project.tables(),
        **{str(path.relative_to(project.folder)): path.read_bytes() for path in models},
    }


def start_of(finished: Project, folder: Path) -> Project:
    """A project that nothing has run in, or one with its inputs made."""
    start = finished.fresh(folder) if WHOLE else finished.copy(folder)
    shutil.rmtree(folder / "results/experiments", ignore_errors=True)
    start.configure(longer)
    return start


def start_over(project: Project, start: Project) -> None:
    shutil.rmtree(project.folder)
    start.copy(project.folder)


def test_a_run_killed_at_random_moments_ends_with_the_same_tables(
    finished: Project, tmp_path: Path
) -> None:
    start = start_of(finished, tmp_path / "start")
    project = start.copy(tmp_path / "project")
    begun = time.monotonic()
    project.run(*TARGETS)
    seconds = time.monotonic() - begun
    expected = outcome(project)
    start_over(project, start)
    moments = random.Random(SEED)
    done: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    in_training = number = 0
    while sum(stages.values()) < KILLS:
        number += 1
        attempt = Attempt(project, number)
        target = EPOCHS_BEHIND if sum(stages.values()) % OFTEN else 0
        if attempt.wait(moments.uniform(0, 0 if target else seconds), target):
            # Somewhere in the next epoch.
            time.sleep(moments.uniform(0, 0.3))
            behind = attempt.epochs_behind()
            attempt.kill()
            started = re.findall(r"Job \d+: (\w+)", attempt.text) or ["before the first job"]
            stages[started[-1]] += 1
            in_training += behind >= EPOCHS_BEHIND
            done += attempt.finished()
            unlocked = project.snakemake("--unlock")
            assert unlocked.status == 0, unlocked.text
        else:
            assert attempt.process.returncode == 0, attempt.text
            assert (done + attempt.finished())["train"] == RUNS, "a finished run was trained again"
            assert outcome(project) == expected
            start_over(project, start)
            done.clear()
    last = project.run(*TARGETS)
    assert (done + last.jobs)["train"] == RUNS
    assert outcome(project) == expected
    assert not list((project.folder / "results").glob("experiments/*/checkpoints/*/*.pt"))
    print(f"seed {SEED}: {dict(stages)}; {in_training} with training behind them")
    assert in_training >= max(1, KILLS // (2 * OFTEN)), "too few kills landed in training"
