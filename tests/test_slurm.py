"""profiles/slurm on a real Slurm: `make test-slurm`. Needs root and Slurm's daemons."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import slurm_cluster
from pipeline import ROOT, Project

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

EXPERIMENT = "results/experiments/tiny"
#: This Slurm keeps no accounts. Jobs are looked at after 5 seconds and, if none is done, 15 seconds
#: later, when those of a small step of the pipeline are.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5")
PROFILE = ("--workflow-profile", "profiles/slurm", *HERE, "--configfile", "tiny.yaml")
RUN = f"{EXPERIMENT}/runs/resnet34/lr1e-02/repeat2/fold1"
#: Seconds for all training jobs that are to be stopped to be submitted, to start and to save
#: their first states.
PATIENCE = 600
#: What one submission trains.
RUNS = [
    f"{EXPERIMENT}/runs/{model}/lr1e-02/repeat{repeat}/fold1"
    for model in ("resnet18", "resnet34")
    for repeat in (1, 2)
]


@dataclass(frozen=True)
class Job:
    """What the plugin wrote about it (the rule and its wildcards), what it asked for and got."""

    rule: str
    memory: str
    time: str
    devices: set[str]


@dataclass(frozen=True)
class Slurm:
    """The cluster: what its jobs were, and what devices their tasks saw."""

    tasks: Path

    def jobs(self, project: Project) -> dict[str, Job]:
        """All jobs of a project by number."""
        form = "--format=%i|%k|%m|%l|%Z"
        lines = output("squeue", "--states=all", "--noheader", form).splitlines()
        listed = (line.split("|", 4) for line in lines)
        return {
            number: Job(rule, memory, time, self.devices(number))
            for number, rule, memory, time, folder in listed
            if folder == str(project.folder)
        }

    def devices(self, job: str) -> set[str]:
        """The `CUDA_VISIBLE_DEVICES` of all tasks of a job, `-` where it was not set."""
        seen = [line.split("\t") for line in self.tasks.read_text().splitlines()]
        return {devices for number, devices in seen if number == job}


@dataclass(frozen=True)
class Call:
    """A command at work in a project; what it says goes to a file, which never fills as a pipe."""

    project: Project
    process: "subprocess.Popen[bytes]"
    said: Path

    def finish(self) -> None:
        assert self.process.wait() == 0, self.said.read_text(errors="replace")

    def end(self) -> None:
        """End it if a test failed before it was done."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    if reason := slurm_cluster.missing():
        pytest.fail(f"no Slurm can be brought up: {reason}")
    with slurm_cluster.cluster() as tasks:
        yield Slurm(tasks)
    assert nothing_left()


@pytest.fixture(scope="module")
def whole(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """The whole pipeline on the cluster, begun before all else: it mostly waits."""
    call = start(new(tmp_path_factory))
    yield call
    call.end()


@pytest.fixture(scope="module")
def prepared(whole: Call, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has everything up to the training, from this machine."""
    project = new(tmp_path_factory)
    project.run(f"{EXPERIMENT}/folds/1/training.json")
    return project


@pytest.fixture(scope="module")
def calls(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Call]]:
    """Training on the cluster from copies of `prepared`, all at a time, some of it stopped once."""
    names = [*STOPS, "gres", "one submission"]
    copies = {name: prepared.copy(tmp_path_factory.mktemp("slurm") / "a $(copy)") for name in names}
    use_gres(copies["gres"])
    begun = {name: start(copies[name], "--", f"{RUN}/history.tsv") for name in [*STOPS, "gres"]}
    begun["one submission"] = submit(copies["one submission"])
    try:
        stop_each({name: copies[name] for name in [*STOPS, "one submission"]})
        yield begun
    finally:
        for call in begun.values():
            call.end()


@pytest.fixture(scope="module")
def local(calls: dict[str, Call], prepared: Project) -> Project:
    """The same runs without a cluster, trained while `calls` mostly wait."""
    prepared.run()
    return prepared


def new(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.new(tmp_path_factory.mktemp("slurm") / "it's a (project) ^1")
    project.configure(enlarge)
    return project


def enlarge(config: dict[str, Any]) -> None:
    """The demo's grid, of more epochs than elsewhere, from fewer and smaller databases."""
    demo = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    config["checkpoint_every_minutes"] = 0
    for name in ("casme", "casme2"):
        del config["databases"][name]
    experiment = config["experiments"]["tiny"]
    experiment["split"]["images_per_class"] = 6
    experiment["grid"] = demo["experiments"]["demo"]["grid"]
    experiment["recipe"]["epochs"] = 8


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def nothing_left() -> bool:
    files = [slurm_cluster.CONFIGURATION / name for name in ("slurm.conf", "gres.conf")]
    daemons = slurm_cluster.processes(slurm_cluster.DAEMONS | {"munged"})
    return not daemons and not any(file.exists() for file in files)


def start(project: Project, *arguments: str) -> Call:
    return begin(project, sys.executable, "-m", "snakemake", *PROFILE, *arguments)


def begin(project: Project, *command: str) -> Call:
    said = project.folder.parent / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=project.folder, stdout=file, stderr=subprocess.STDOUT
        )
    return Call(project, process, said)


def use_gres(project: Project) -> None:
    """Take the lines that profiles/slurm has in comments, for clusters that know no --gpus."""
    profile = project.folder / "profiles/slurm/profile.v9+.yaml"
    commented = profile.read_text()
    profile.write_text(commented.replace("# gpu: 0", "gpu: 0").replace("# gres:", "gres:"))


def submit(project: Project) -> Call:
    """Snakemake itself as the job, with GPUs that it shares out."""
    command = f"{sys.executable} -m snakemake --configfile tiny.yaml"
    resources = ("--gpus=2", "--cpus-per-task=2", "--mem=16000", "--requeue", "--open-mode=append")
    targets = " ".join(f"{run}/history.tsv" for run in RUNS)
    lines = f"{command} --unlock\n{command} --cores 2 --resources gpu=2 -- {targets}"
    return begin(project, "sbatch", "--wait", *resources, f"--wrap={lines}")


def training_process(project: Project) -> int | None:
    """The process that trains in a project and has saved its state, if there is one now."""
    if list((project.folder / EXPERIMENT / "checkpoints").rglob("epoch*.pt")):
        for folder in Path("/proc").glob("[0-9]*"):
            if trains(folder, project):
                return int(folder.name)
    return None


def stop_each(projects: dict[str, Project]) -> None:
    """Stop the training in every project once, in its own way, as soon as it can be resumed."""
    left = set(projects)
    end = time.monotonic() + PATIENCE
    while left:
        assert time.monotonic() < end, f"no training job saved its state for {sorted(left)}"
        for name in sorted(left):
            process = training_process(projects[name])
            if process is not None:
                STOPS.get(name, preempt)(process)
                left.remove(name)
        time.sleep(0.05)


def trains(process: Path, project: Project) -> bool:
    try:
        words = (process / "cmdline").read_text().split("\0")
        # The process itself, not the shells and Snakemakes around it.
        itself = len(words) > 1 and words[1].endswith("/train.py")
        return itself and (process / "cwd").resolve() == project.folder.resolve()
    except OSError:
        return False


def job_of(process: int) -> str:
    variables = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(line.partition("=")[::2] for line in variables)["SLURM_JOB_ID"]


def same_runs(project: Project, local: Project, folders: list[str]) -> bool:
    """Whether the runs' histories have the same bytes and their models the same numbers."""
    for folder in folders:
        one, other = project.folder / folder, local.folder / folder
        if (one / "history.tsv").read_bytes() != (other / "history.tsv").read_bytes():
            return False
        states = [torch.load(path / "model.pt", weights_only=True) for path in (one, other)]
        if any(not torch.equal(states[0][key], states[1][key]) for key in states[1]):
            return False
    return True


def test_a_failure_takes_the_cluster_down_with_its_jobs() -> None:
    with pytest.raises(ZeroDivisionError), slurm_cluster.cluster():
        fail_beside_a_job()
    assert nothing_left()
    commands = [read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"7777" in command for command in commands)


def fail_beside_a_job() -> None:
    output("sbatch", "--gpus=1", "--output=/dev/null", "--wrap", "srun sleep 7777")
    while "RUNNING" not in output("squeue", "--noheader", "--format=%T"):
        time.sleep(0.2)
    raise ZeroDivisionError


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_real_cluster_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_cluster, "CONFIGURATION", tmp_path)
    own = tmp_path / "slurm.conf"
    own.write_text("ClusterName=ours\n")
    assert str(own) in str(slurm_cluster.missing())
    with pytest.raises(RuntimeError, match="left alone"), slurm_cluster.cluster():
        pass
    assert own.read_text() == "ClusterName=ours\n"


def kill_process(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def kill_job(process: int) -> None:
    output("scancel", "--full", "--signal=KILL", job_of(process))


def preempt(process: int) -> None:
    output("scontrol", "requeue", job_of(process))


def warn(process: int) -> None:
    """As Slurm does before the job's time is over (`--signal=URG@120`)."""
    output("scancel", "--signal=URG", job_of(process))


STOPS: dict[str, Callable[[int], None]] = {
    "process killed": kill_process,
    "job killed": kill_job,
    "preempted": preempt,
    "warned": warn,
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_stopped_run_goes_on(calls: dict[str, Call], local: Project, stop: str) -> None:
    calls[stop].finish()
    project = calls[stop].project
    record = json.loads((project.folder / RUN / "run.json").read_text())
    assert record["resumed_from_epochs"], "it was stopped after its first epoch"
    assert same_runs(project, local, [RUN])


def test_gpus_as_gres(slurm: Slurm, calls: dict[str, Call], local: Project) -> None:
    calls["gres"].finish()
    project = calls["gres"].project
    ((number, job),) = slurm.jobs(project).items()
    assert "TresPerNode=gres:gpu:1" in output("scontrol", "show", "job", number)
    assert len(job.devices) == 1
    assert job.devices < {"0", "1"}
    assert same_runs(project, local, [RUN])


def test_one_submission_for_all_runs(slurm: Slurm, calls: dict[str, Call], local: Project) -> None:
    calls["one submission"].finish()
    project = calls["one submission"].project
    assert len(slurm.jobs(project)) == 1
    assert same_runs(project, local, RUNS)
    records = [json.loads((project.folder / run / "run.json").read_text()) for run in RUNS]
    assert any(record["resumed_from_epochs"] for record in records), "it was requeued in the middle"


def test_the_whole_pipeline(slurm: Slurm, whole: Call, local: Project) -> None:
    whole.finish()
    assert whole.project.tables() == local.tables()
    jobs = list(slurm.jobs(whole.project).values())
    assert not any("fetch" in job.rule for job in jobs), "compute nodes have no network"
    train = [job for job in jobs if job.rule.startswith("rule_train_")]
    assert [(job.memory, job.time) for job in train] == 8 * [("8000M", "2:00:00")]
    assert set().union(*(job.devices for job in train)) == {"0", "1"}
    crop = [job for job in jobs if job.rule.startswith("rule_crop_")]
    assert {*map(frozenset, (job.devices for job in crop))} == {frozenset("-")}
