"""How far a run is, from its files alone.

Neither Snakemake nor a cluster is asked, so any machine that sees the results folder can tell.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from fleeting import layout, tsv
from fleeting.errors import UserError
from fleeting.faces import finished
from fleeting.layout import Config, Job
from fleeting.training.heartbeat import FILE_NAME

#: A running job touches its heartbeat every ten seconds; after this many without, it is dead. A
#: shared file system may show times late, and its clock may differ from this machine's.
DEAD_AFTER = 120.0
#: The values of a heartbeat that are shown.
KEYS = {
    *("folds_done", "folds", "epoch", "epochs", "train_loss", "validation_loss"),
    *("images_per_second", "device", "host"),
}


@dataclass(frozen=True)
class Stage:
    """How many of a stage's files exist; `expected` is None until an earlier stage is done."""

    name: str
    done: int
    expected: int | None


@dataclass(frozen=True)
class Heartbeat:
    """The heartbeat file of a training job; `training.heartbeat` describes its values."""

    job: Job
    values: dict[str, Any]
    #: Seconds since the job last touched the file.
    age: float

    @property
    def dead(self) -> bool:
        """Whether the job ended without having finished."""
        return self.age > DEAD_AFTER

    @property
    def done(self) -> float:
        """The share of the job's epochs that is done, from 0 to 1."""
        epochs, folds = self.values["epochs"], self.values["folds"]
        within = self.values["epoch"] / epochs if epochs else 0
        return min(1.0, (self.values["folds_done"] + within) / folds) if folds else 0.0


@dataclass
class Experiment:
    """The runs of an experiment. A run with several parts is done when all of them are.

    Attributes:
        runs: how many the grid has.
        done: how many are trained.
        failed: why runs failed, by their jobs; only with `allow_missing`.
        heartbeats: of jobs that are training, or died.
        seconds_left: of training, if as many jobs as now keep running at a time; None before the
            first job is done.
    """

    name: str
    runs: int
    done: int = 0
    failed: dict[Job, str] = field(default_factory=dict)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    seconds_left: float | None = None


def stages(config: Config, results: Path) -> Iterator[Stage]:
    """The stages before training, in order."""
    databases, crops = list(config["databases"]), layout.crops(config)
    selections = sorted({layout.selection_label(config, crop) for crop in crops})
    yield _stage("annotations", results, [f"annotations/{name}.tsv" for name in databases])
    of_databases = {
        "frames": [f"frames/{name}" for name in selections],
        "faces": [f"faces/{name}" for name in crops],
        "inputs": [f"inputs/{name}" for name in layout.inputs(config)],
    }
    for stage, folders in of_databases.items():
        if stage == "faces":
            yield _samples(config, results, crops)
        files = [f"{folder}/{name}.tsv" for folder in folders for name in databases]
        yield _stage(stage, results, files)
    gates = [f"experiments/{name}/split.json" for name in config["experiments"]]
    yield _stage("splits", results, gates)


def later_stages(config: Config, results: Path) -> Iterator[Stage]:
    """The stages after training."""
    yield _stage("tables", results, layout.output_paths(config, "table", ".tsv"))
    yield _stage("figures", results, layout.output_paths(config, "figure", ".svg"))


def _stage(name: str, results: Path, files: Iterable[str]) -> Stage:
    paths = [results / file for file in files]
    return Stage(name, sum(path.exists() for path in paths), len(paths))


def _samples(config: Config, results: Path, crops: list[str]) -> Stage:
    """The samples with frames, and those with crops, which may be of an earlier run."""
    done, expected = 0, 0
    known = True
    for crop in crops:
        selection = layout.selection_label(config, crop)
        for database in config["databases"]:
            frames = results / "frames" / selection / f"{database}.tsv"
            samples = _samples_with_frames(frames)
            known = known and samples is not None
            for sample in samples or ():
                expected += 1
                done += (results / "faces" / crop / sample / finished.FILE_NAME).exists()
    return Stage("samples cropped", done, expected if known else None)


def _samples_with_frames(table: Path) -> set[str] | None:
    """The samples of a table of frames; None: it is not there yet, or is being replaced."""
    try:
        return {row["sample"] for row in tsv.read_rows(table, tsv.FRAMES)}
    except UserError:
        return None


def experiment(config: Config, results: Path, name: str) -> Experiment:
    """The state of an experiment's runs."""
    jobs = layout.training_jobs(config, name)
    found = Experiment(name, len({job[:-1] for job in jobs}))
    unfinished: dict[Job, float] = {}
    seconds: dict[str, list[float]] = {}
    for job in jobs:
        written = metadata(results / job.folder / "run.json")
        if written is None:
            beat = _heartbeat(job, results / job.checkpoints / FILE_NAME)
            unfinished[job] = 1 - beat.done if beat else 1.0
            if beat:
                found.heartbeats.append(beat)
        elif written.get("failed"):
            found.failed[job] = written["failed"]
        else:
            seconds.setdefault(job.model, []).append(written["seconds"])
    not_done = {job[:-1] for job in [*unfinished, *found.failed]}
    found.done = found.runs - len(not_done)
    running = sum(not beat.dead for beat in found.heartbeats)
    if not unfinished:
        found.seconds_left = 0.0
    elif seconds:
        everything = mean(value for values in seconds.values() for value in values)
        work = sum(
            left * (mean(seconds[job.model]) if job.model in seconds else everything)
            for job, left in unfinished.items()
        )
        found.seconds_left = work / max(1, running)
    return found


def metadata(path: Path) -> dict[str, Any] | None:
    """The run.json of a job; None: there is none yet, or it is being replaced."""
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@cache
def _parsed(path: Path, modified: int) -> dict[str, Any]:
    """A run.json, read once as long as it does not change: there may be thousands."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not the metadata of a run")
    return content


def _heartbeat(job: Job, path: Path) -> Heartbeat | None:
    """A job's heartbeat; None: there is none, or it is no longer whole."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        modified = path.stat().st_mtime
    except (OSError, ValueError):
        return None
    if not (isinstance(values, dict) and values.keys() >= KEYS):
        return None
    return Heartbeat(job, values, max(0.0, time.time() - modified))


def duration(seconds: float | None) -> str:
    """`4 s`, `12 min`, `3 h 20 min`; `?` where it is not known."""
    if seconds is None:
        return "?"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
