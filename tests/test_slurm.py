"""profiles/slurm on a real Slurm: `make test-slurm`. Needs root and Slurm's daemons."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import slurm_cluster
from pipeline import ROOT, Project

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

EXPERIMENT = "results/experiments/tiny"
#: An experiment of several folds, shared out over two jobs.
FOLDS = "results/experiments/folds"
#: This Slurm has no accounting. The status of jobs is first asked for after 5 seconds, and again 15
#: seconds later, when those of a small step of the pipeline are done.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5")
PROFILE = ("--workflow-profile", "profiles/slurm", *HERE, "--configfile", "tiny.yaml")
RUN = f"{EXPERIMENT}/runs/resnet34/lr1e-02/repeat2/part1"
EPOCHS = 8
#: Seconds in which all training jobs that are to be stopped must be submitted, start and save
#: their first states.
PATIENCE = 600
#: The runs that are trained in one submission.
RUNS = [
    f"{EXPERIMENT}/runs/{model}/lr1e-02/repeat{repeat}/part1"
    for model in ("resnet18", "resnet34")
    for repeat in (1, 2)
]


@dataclass(frozen=True)
class Job:
    """The plugin's comment (rule and wildcards), the resources asked for, the devices received."""

    rule: str
    memory: str
    time: str
    devices: set[str]


@dataclass(frozen=True)
class Slurm:
    """The cluster; `tasks` is the file in which each task writes the devices that it sees."""

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
    """A running command of a project; its output goes to a file, which never blocks like a pipe."""

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
    """The whole pipeline on the cluster, started before everything else: it mostly waits."""
    call = start(new(tmp_path_factory))
    yield call
    call.end()


@pytest.fixture(scope="module")
def prepared(whole: Call, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which everything before the training was computed without the cluster."""
    project = new(tmp_path_factory)
    project.run(f"{EXPERIMENT}/split.json")
    return project


@pytest.fixture(scope="module")
def calls(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Call]]:
    """Training on the cluster in copies of `prepared`, all at once; most are stopped once."""
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
    """The whole pipeline without the cluster, run while `calls` mostly wait."""
    prepared.run()
    return prepared


def new(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.new(tmp_path_factory.mktemp("slurm") / "it's a (project) ^1")
    project.configure(enlarge)
    return project


def enlarge(config: dict[str, Any]) -> None:
    """The demo's grid with two databases and more epochs; leave-one-out in two jobs."""
    demo = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    config["checkpoint_every_minutes"] = 0
    for name in ("casme", "casme2"):
        del config["databases"][name]
    experiment = config["experiments"]["tiny"]
    experiment["protocol"]["images_per_class"] = 6
    experiment["grid"] = demo["experiments"]["demo"]["grid"]
    experiment["recipe"]["epochs"] = EPOCHS
    # The models are compared.
    experiment["keep_models"] = "all"
    config["experiments"]["folds"] = {
        "based_on": "tiny",
        "protocol": "leave_one_out",
        "parts": 2,
        "grid": {"models": ["small"], "lrs": ["1e-02"], "repeats": 1},
    }


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
    """Use the lines in comments in profiles/slurm, for clusters that do not have --gpus."""
    profile = project.folder / "profiles/slurm/profile.v9+.yaml"
    commented = profile.read_text()
    profile.write_text(commented.replace("# gpu: 0", "gpu: 0").replace("# gres:", "gres:"))


def submit(project: Project) -> Call:
    """Snakemake itself as the job, with GPUs that it shares out among its own jobs."""
    command = f"{sys.executable} -m snakemake --configfile tiny.yaml"
    resources = ("--gpus=2", "--cpus-per-task=2", "--mem=16000", "--requeue", "--open-mode=append")
    targets = " ".join(f"{run}/history.tsv" for run in RUNS)
    lines = f"{command} --unlock\n{command} --cores 2 --resources gpu=2 -- {targets}"
    return begin(project, "sbatch", "--wait", *resources, f"--wrap={lines}")


def training_process(project: Project) -> int | None:
    """A process that trains in a project in which a state has been saved, or None."""
    if list((project.folder / EXPERIMENT / "checkpoints").rglob("fold*_epoch*.pt")):
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
        itself = words[1:3] == ["workflow/scripts/job.py", "training.run"]
        return itself and (process / "cwd").resolve() == project.folder.resolve()
    except OSError:
        return False


def job_of(process: int) -> str:
    variables = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(line.partition("=")[::2] for line in variables)["SLURM_JOB_ID"]


def same_runs(project: Project, local: Project, folders: list[str]) -> bool:
    """Whether histories, predictions and models of the runs have the same bytes."""
    for folder in folders:
        one, other = project.folder / folder, local.folder / folder
        names = ["history.tsv", "predictions.tsv", "models/fold1.pt"]
        if any((one / name).read_bytes() != (other / name).read_bytes() for name in names):
            return False
    return True


def record_of(project: Project, run: str) -> dict[str, Any]:
    record = json.loads((project.folder / run / "run.json").read_text())
    assert isinstance(record, dict)
    return record


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
    """As Slurm does shortly before the job's time limit (`--signal=URG@120`)."""
    output("scancel", "--signal=URG", job_of(process))


STOPS: dict[str, Callable[[int], None]] = {
    "process killed": kill_process,
    "job killed": kill_job,
    "preempted": preempt,
    "warned": warn,
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_stopped_run_resumes(calls: dict[str, Call], local: Project, stop: str) -> None:
    calls[stop].finish()
    project = calls[stop].project
    resumed = record_of(project, RUN)["resumed"]
    assert resumed, "it was stopped after its first epoch"
    assert all(fold == 1 and 1 <= epoch <= EPOCHS for fold, epoch in resumed)
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
    resumed = [record_of(project, run)["resumed"] for run in RUNS]
    assert any(resumed), "it was requeued while it trained"


def test_the_whole_pipeline(slurm: Slurm, whole: Call, local: Project) -> None:
    whole.finish()
    assert whole.project.tables() == local.tables()
    jobs = list(slurm.jobs(whole.project).values())
    assert not any("fetch" in job.rule for job in jobs), "compute nodes have no network"
    train = [job for job in jobs if job.rule.startswith("rule_train_")]
    asked = Counter((job.memory, job.time) for job in train)
    assert asked == {("8020M", "2:00:00"): 8, ("8040M", "2:30:00"): 2}, "one fold, and three folds"
    run = f"{FOLDS}/runs/small/lr1e-02/repeat1"
    parts = [record_of(whole.project, f"{run}/part{part}")["folds"] for part in (1, 2)]
    assert parts == [[1, 3], [2]]
    assert set().union(*(job.devices for job in train)) == {"0", "1"}
    crop = [job for job in jobs if job.rule.startswith("rule_crop_")]
    assert {*map(frozenset, (job.devices for job in crop))} == {frozenset("-")}
