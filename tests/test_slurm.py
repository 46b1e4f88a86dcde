"""profiles/slurm on a real Slurm: `make test-slurm`. Needs root and Slurm's daemons."""

import json
import os
import shutil
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

import slurm_cluster
from pipeline import Outcome, Project

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

EXPERIMENT = "results/experiments/tiny"
#: This Slurm keeps no accounts, and short jobs are looked at soon.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3")
PROFILE = ("--workflow-profile", "profiles/slurm", *HERE, "--configfile", "tiny.yaml")
RUN = f"{EXPERIMENT}/runs/resnet34/lr1e-02/repeat2/fold1"
#: Seconds for a training job to be submitted, to start and to save its first state.
PATIENCE = 180


@dataclass(frozen=True)
class Slurm:
    """The cluster: what its jobs were, and what devices their tasks saw."""

    tasks: Path

    def jobs(self) -> dict[str, str]:
        """By number, what the plugin wrote about each job: the rule and its wildcards."""
        listed = output("squeue", "--states=all", "--noheader", "--format=%i|%k")
        return dict(line.split("|") for line in listed.splitlines())

    def devices(self, rule: str) -> set[str]:
        """The `CUDA_VISIBLE_DEVICES` of all tasks of a rule's jobs, `-` where it was not set."""
        seen = [line.split("\t") for line in self.tasks.read_text().splitlines()]
        jobs = self.jobs()
        return {devices for job, devices in seen if jobs[job].startswith(f"rule_{rule}_")}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Six runs, trained on this machine without a cluster."""
    project = Project.new(tmp_path_factory.mktemp("slurm") / "it's a (project) ^1")
    project.configure(enlarge)
    project.run()
    return project


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    if reason := slurm_cluster.missing():
        pytest.fail(f"no Slurm can be brought up: {reason}")
    with slurm_cluster.cluster() as tasks:
        yield Slurm(tasks)
    assert nothing_left()


def enlarge(config: dict[str, Any]) -> None:
    config["checkpoint_every_epochs"] = 1
    experiment = config["experiments"]["tiny"]
    experiment["grid"]["repeats"] = 3
    experiment["recipe"]["epochs"] = 10


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def nothing_left() -> bool:
    files = [slurm_cluster.CONFIGURATION / name for name in ("slurm.conf", "gres.conf")]
    daemons = slurm_cluster.processes(slurm_cluster.DAEMONS | {"munged"})
    return not daemons and not any(file.exists() for file in files)


def start(project: Project, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> Outcome:
    text, _ = process.communicate()
    outcome = Outcome(process.returncode, text)
    assert outcome.status == 0, outcome.text
    return outcome


def untrained(local: Project, folder: Path) -> Project:
    """A copy that has everything up to the training."""
    project = local.copy(folder)
    for name in ("runs", "evaluation", "tables", "figures", "checkpoints"):
        shutil.rmtree(project.folder / EXPERIMENT / name, ignore_errors=True)
    return project


def training_process(project: Project) -> int:
    """The process that trains in a project and has saved its state."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if list((project.folder / EXPERIMENT / "checkpoints").rglob("epoch*.pt")):
            for folder in Path("/proc").glob("[0-9]*"):
                if trains(folder, project):
                    return int(folder.name)
        time.sleep(0.05)
    raise TimeoutError("no training job saved its state")


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


def test_the_whole_pipeline(slurm: Slurm, local: Project, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "it's a (project) ^1")
    project.configure(enlarge)
    finish(start(project, *PROFILE))
    assert project.tables() == local.tables()
    jobs = list(slurm.jobs().values())
    assert sum(job.startswith("rule_train_") for job in jobs) == 6
    assert any(job.startswith("rule_crop_") for job in jobs)
    assert not any("fetch" in job for job in jobs), "compute nodes have no network"
    asked = output("squeue", "--states=all", "--noheader", "--format=%k|%m|%l").splitlines()
    training = {line.partition("|")[2] for line in asked if line.startswith("rule_train_")}
    assert training == {"8000M|2:00:00"}
    assert slurm.devices("train") == {"0", "1"}
    assert slurm.devices("crop") == {"-"}


def kill_process(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def kill_job(process: int) -> None:
    output("scancel", "--full", "--signal=KILL", job_of(process))


def preempt(process: int) -> None:
    output("scontrol", "requeue", job_of(process))


def warn(process: int) -> None:
    """As Slurm does before the job's time is over (`--signal=URG@120`)."""
    output("scancel", "--signal=URG", job_of(process))


@pytest.mark.parametrize("stop", [kill_process, kill_job, preempt, warn])
def test_a_stopped_run_goes_on(
    slurm: Slurm, local: Project, tmp_path: Path, stop: Callable[[int], None]
) -> None:
    project = untrained(local, tmp_path / "a $(copy)")
    snakemake = start(project, *PROFILE, "--", f"{RUN}/history.tsv")
    stop(training_process(project))
    finish(snakemake)
    record = json.loads((project.folder / RUN / "run.json").read_text())
    assert record["resumed_from_epochs"], "it was stopped after its first epoch"
    assert same_runs(project, local, [RUN])


def test_gpus_as_gres(slurm: Slurm, local: Project, tmp_path: Path) -> None:
    """The lines that profiles/slurm has in comments, for clusters that know no --gpus."""
    project = untrained(local, tmp_path / "a $(copy)")
    profile = project.folder / "profiles/slurm/profile.v9+.yaml"
    commented = profile.read_text()
    profile.write_text(commented.replace("# gpu: 0", "gpu: 0").replace("# gres:", "gres:"))
    before = set(slurm.jobs())
    finish(start(project, *PROFILE, "--", f"{RUN}/history.tsv"))
    (job,) = set(slurm.jobs()) - before
    assert "TresPerNode=gres:gpu:1" in output("scontrol", "show", "job", job)
    seen = [line.split("\t") for line in slurm.tasks.read_text().splitlines()]
    assert {devices for number, devices in seen if number == job} <= {"0", "1"}


def test_one_submission_for_all_runs(slurm: Slurm, local: Project, tmp_path: Path) -> None:
    """Short runs: Snakemake itself is the job, and shares out the GPUs that it was given."""
    project = untrained(local, tmp_path / "a $(copy)")
    before = set(slurm.jobs())
    command = f"{sys.executable} -m snakemake --configfile tiny.yaml --cores 2 --resources gpu=2"
    resources = ("--gpus=2", "--cpus-per-task=2", "--mem=16000", "--requeue")
    output("sbatch", "--wait", *resources, f"-D{project.folder}", f"--wrap={command} -- training")
    assert len(set(slurm.jobs()) - before) == 1
    runs = [
        f"{EXPERIMENT}/runs/{model}/lr1e-02/repeat{repeat}/fold1"
        for model in ("resnet18", "resnet34")
        for repeat in (1, 2, 3)
    ]
    assert same_runs(project, local, runs)
