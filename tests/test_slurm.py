"""profiles/slurm on a real Slurm: `make test-slurm`. Needs root and Slurm's daemons."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import slurm_cluster
from pipeline import ROOT, Project
from slurm_calls import EXPERIMENT, Call, Slurm, job_of, output, start, submit, training_process

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

#: An experiment of several folds, shared out over two jobs.
FOLDS = "results/experiments/folds"
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
#: All that tables and figures are made from; these only take longer on a cluster.
TARGETS = [f"{folder}/scores.tsv" for folder in (EXPERIMENT, FOLDS)]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    if reason := slurm_cluster.missing():
        pytest.fail(f"no Slurm can be brought up: {reason}")
    with slurm_cluster.cluster() as tasks:
        yield Slurm(tasks)
    assert nothing_left()


@pytest.fixture(scope="module")
def whole(
    slurm: Slurm, tmp_path_factory: pytest.TempPathFactory, database_files: Path
) -> Iterator[Call]:
    """Everything up to the scores on the cluster, started first: it mostly waits."""
    call = start(new(tmp_path_factory, database_files), "--", *TARGETS)
    yield call
    call.end()


@pytest.fixture(scope="module")
def prepared(
    whole: Call, tmp_path_factory: pytest.TempPathFactory, database_files: Path
) -> Project:
    """A project in which everything before the training was computed without the cluster."""
    project = new(tmp_path_factory, database_files)
    project.run(f"{EXPERIMENT}/split.json")
    return project


@pytest.fixture(scope="module")
def calls(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Call]]:
    """Training on the cluster in copies of `prepared`, all at once; most are stopped once."""
    names = [*STOPS, "gres", "one submission"]
    copies = {name: prepared.copy(tmp_path_factory.mktemp("slurm") / "a $(copy)") for name in names}
    use_gres(copies["gres"])
    begun = {name: start(copies[name], "--", f"{RUN}/history.tsv") for name in [*STOPS, "gres"]}
    begun["one submission"] = submit(copies["one submission"], RUNS)
    try:
        stop_each({name: copies[name] for name in [*STOPS, "one submission"]})
        yield begun
    finally:
        for call in begun.values():
            call.end()


@pytest.fixture(scope="module")
def local(calls: dict[str, Call], prepared: Project) -> Project:
    """The same without the cluster, run while `calls` mostly wait."""
    prepared.run(*TARGETS)
    return prepared


def new(tmp_path_factory: pytest.TempPathFactory, database_files: Path) -> Project:
    folder = tmp_path_factory.mktemp("slurm") / "it's a (project) ^1"
    project = Project.new(folder, database_files)
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


def nothing_left() -> bool:
    files = [slurm_cluster.CONFIGURATION / name for name in ("slurm.conf", "gres.conf")]
    daemons = slurm_cluster.processes(slurm_cluster.DAEMONS | {"munged"})
    return not daemons and not any(file.exists() for file in files)


def use_gres(project: Project) -> None:
    """Use the lines in comments in profiles/slurm, for clusters that do not have --gpus."""
    profile = project.folder / "profiles/slurm/profile.v9+.yaml"
    commented = profile.read_text()
    profile.write_text(commented.replace("# gpu: 0", "gpu: 0").replace("# gres:", "gres:"))


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
