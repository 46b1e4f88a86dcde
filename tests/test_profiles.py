"""profiles/cluster-generic with a pretended Grid Engine and PBS, and what all profiles share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from pipeline import ROOT, Outcome, Project

PROFILES = {path.parent.name: path for path in ROOT.glob("profiles/*/profile.v9+.yaml")}
CLUSTERS = ["slurm", "cluster-generic"]
#: Grid Engine's commands, as far as the profile uses them. A job runs in its own session, as a
#: service would start it: in the user's home, not in the folder that qsub was called in.
QSUB = """#!/bin/sh
printf '%s\\n' "$*" >> "$FAKE/submitted"
number=$(wc -l < "$FAKE/submitted")
for script in "$@"; do :; done
cp "$script" "$FAKE/$number.sh"
{ cd / && JOB_ID=$number SGE_O_WORKDIR=$OLDPWD exec setsid sh "$FAKE/$number.sh"; } \\
    > /dev/null 2>&1 &
process=$!
echo "$process" > "$FAKE/$number.pid"
[ "$number" != "${FAKE_KILLS:-}" ] || kill -9 "$process"
echo "$number"
"""
QSTAT = """#!/bin/sh
[ "$1" = -j ] && kill -0 "$(cat "$FAKE/$2.pid")" && cat "$FAKE/says"
"""
QDEL = """#!/bin/sh
echo "$1" >> "$FAKE/deleted"
"""
#: The same for PBS, whose job numbers, variables and options differ.
PBS_QSUB = (
    QSUB.replace("JOB_ID=$number SGE_O_WORKDIR", "PBS_JOBID=$number.server PBS_O_WORKDIR")
    .replace('echo "$number"\n', 'echo "$number.server"\n')
    .replace("$FAKE/$number.pid", "$FAKE/$number.server.pid")
)
PBS_QSTAT = """#!/bin/sh
[ "$1" != -j ] && kill -0 "$(cat "$FAKE/$1.pid")"
"""
SOON = ("--seconds-between-status-checks", "1", "--latency-wait", "5")


@pytest.fixture
def grid_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a pretended Grid Engine, whose commands are found first."""
    folder = tmp_path / "grid engine"
    folder.mkdir()
    pretend(folder, {"qsub": QSUB, "qstat": QSTAT, "qdel": QDEL})
    (folder / "says").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(folder))
    return folder


def pretend(folder: Path, commands: dict[str, str]) -> None:
    for name, text in commands.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def unread(finished: Project, tmp_path: Path) -> Project:
    """A copy without the annotations of one database, which a short job extracts again."""
    project = finished.copy(tmp_path / "it's a (project) ^1")
    (project.folder / "results/annotations/samm.tsv").unlink()
    status = project.folder / "profiles/cluster-generic/status.sh"
    status.write_text(status.read_text().replace("patience=120", "patience=5"))
    return project


def submit(project: Project, target: str = "annotations") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/cluster-generic"]
    return subprocess.run(
        [*command, *SOON, "--configfile", "tiny.yaml", "--", target],
        cwd=project.folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_jobs_go_through_grid_engine_and_a_killed_one_is_tried_again(
    finished: Project, tmp_path: Path, grid_engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_KILLS", "1")
    project = unread(finished, tmp_path)
    done = submit(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.tables() == finished.tables()
    first, again = (grid_engine / "submitted").read_text().splitlines()
    assert "-pe smp 1 -l h_rt=1800 -l mem_free=4000M -l gpu=0" in first
    assert "-N fleeting_extract_annotations" in first
    assert "-l h_rt=3600 -l mem_free=8000M" in again, "a second try asks for more"


@pytest.mark.slow
def test_a_training_job_asks_for_a_gpu_and_for_each_fold(
    finished: Project, tmp_path: Path, grid_engine: Path
) -> None:
    project = finished.copy(tmp_path / "copy")
    run = "results/experiments/tiny/runs/small/lr1e-02/repeat1/part1"
    shutil.rmtree(project.folder / run)
    done = submit(project, f"{run}/history.tsv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.tables() == finished.tables()
    (line,) = (grid_engine / "submitted").read_text().splitlines()
    assert "-l h_rt=7200 -l mem_free=8020M -l gpu=1" in line


@pytest.mark.slow
def test_jobs_go_through_pbs(finished: Project, tmp_path: Path, grid_engine: Path) -> None:
    """With the lines that the profile has in comments."""
    pretend(grid_engine, {"qsub": PBS_QSUB, "qstat": PBS_QSTAT})
    project = unread(finished, tmp_path)
    profile = project.folder / "profiles/cluster-generic/profile.v9+.yaml"
    above, _, below = profile.read_text().partition("cluster-generic-submit-cmd: >-\n")
    commented, walltime, below = below.partition("walltime={resources.seconds}\n")
    pbs = commented.partition("# PBS:\n")[2].replace("\n# ", "\n").removeprefix("# ")
    profile.write_text(above + pbs + walltime + below)
    done = submit(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.tables() == finished.tables()
    (line,) = (grid_engine / "submitted").read_text().splitlines()
    assert "-l select=1:ncpus=1:mem=4000mb:ngpus=0 -l walltime=1800" in line
    assert "-N fleeting " in line, "older ones take 15 letters"


def status(grid_engine: Path, job: str = "7") -> str:
    """The status that the profile's script prints, called beside the pretended commands."""
    script = ROOT / "profiles/cluster-generic/status.sh"
    done = subprocess.run(
        ["sh", str(script), job], cwd=grid_engine, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_job_that_cannot_be_seen_is_given_time_and_nobody_waits(grid_engine: Path) -> None:
    """Snakemake asks for one job after the other: a hundred lost ones would hold it up."""
    notes = grid_engine / ".snakemake" / "cluster"
    notes.mkdir(parents=True)
    pretend(grid_engine, {"sleep": '#!/bin/sh\ntouch "$FAKE/slept"\n'})
    assert [status(grid_engine, str(number)) for number in range(20)] == ["running"] * 20
    assert not (grid_engine / "slept").exists()
    first = notes / "7.absent"
    first.write_text(str(int(first.read_text()) - 121))
    assert status(grid_engine) == "failed"
    (grid_engine / "7.pid").write_text(str(os.getpid()))
    assert status(grid_engine) == "running", "it is in the queue again"
    assert not first.exists()
    for ending, said in (("0", "success"), ("143", "failed")):
        (notes / "7.ending").write_text(ending)
        assert status(grid_engine) == said


def test_a_job_that_grid_engine_could_not_start_has_failed(grid_engine: Path) -> None:
    """Its state is Eqw: it would stay in the queue for ever."""
    (grid_engine / "7.pid").write_text(str(os.getpid()))
    (grid_engine / "says").write_text("job_number: 7\nerror reason    1:  can't chdir\n")
    assert status(grid_engine) == "failed"
    assert (grid_engine / "deleted").read_text() == "7\n"


@pytest.mark.slow
def test_a_path_that_no_cluster_could_be_given_is_refused(
    finished: Project, tmp_path: Path, grid_engine: Path
) -> None:
    project = finished.copy(tmp_path / "it's $(touch pwned)")
    shutil.rmtree(project.folder / "results" / "annotations")
    done = submit(project)
    assert done.returncode != 0
    assert "an apostrophe beside one of" in done.stdout + done.stderr
    assert not (grid_engine / "submitted").exists()


@pytest.mark.slow
def test_snakemake_takes_the_profile_of_slurm(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    shutil.rmtree(project.folder / "results" / "annotations")
    arguments = ["-n", "--workflow-profile", "profiles/slurm", "--configfile", "tiny.yaml"]
    planned = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--", "annotations"],
        cwd=project.folder,
        capture_output=True,
        text=True,
    )
    text = planned.stdout + planned.stderr
    assert planned.returncode == 0, text
    assert Outcome(planned.returncode, text).jobs == {"extract_annotations": 4}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_loses_nothing_of_the_default_profile(name: str) -> None:
    """A profile takes the place of the default one, which is about this machine."""
    default = yaml.safe_load(PROFILES["default"].read_text())
    profile = yaml.safe_load(PROFILES[name].read_text())
    for key in default.keys() - {"cores", "resources"}:
        assert profile[key] == default[key], key
    assert not profile.keys() & {"cores", "resources"}


def asked(name: str, attempt: int, folds: Path) -> list[int]:
    """What a profile asks for at one of a job's tries, evaluated as Snakemake does."""
    profile = yaml.safe_load(PROFILES[name].read_text())
    texts = [line.partition("=")[2] for line in profile["default-resources"]]
    texts += [value for rule in profile["set-resources"].values() for value in rule.values()]
    given = {"attempt": attempt, "input": SimpleNamespace(folds=str(folds))}
    return [eval(text, given) for text in texts if "attempt" in str(text)]


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_try_and_every_fold_asks_for_more(tmp_path: Path, name: str) -> None:
    one, many = tmp_path / "one.tsv", tmp_path / "many.tsv"
    one.write_text("fold\n1\n")
    many.write_text("fold\n" + "".join(f"{number}\n" for number in range(1, 69)))
    assert yaml.safe_load(PROFILES[name].read_text())["retries"] > 0
    first, second = asked(name, 1, one), asked(name, 2, one)
    assert len(first) >= 4
    assert all(later > earlier for earlier, later in zip(first, second, strict=True))
    grown = [m > f for f, m in zip(first, asked(name, 1, many), strict=True)]
    assert sum(grown) == 2, "memory and time of the training jobs"
