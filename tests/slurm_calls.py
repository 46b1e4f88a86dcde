"""Calls of Snakemake on the Slurm of slurm_cluster, and what became of their jobs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline import Project

EXPERIMENT = "results/experiments/tiny"
#: This Slurm has no accounting. The status of jobs is first asked for after 5 seconds, and again 15
#: seconds later, when those of a small step of the pipeline are done.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5")
PROFILE = ("--workflow-profile", "profiles/slurm", *HERE, "--configfile", "tiny.yaml")


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


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def start(project: Project, *arguments: str) -> Call:
    return begin(project, sys.executable, "-m", "snakemake", *PROFILE, *arguments)


def begin(project: Project, *command: str) -> Call:
    said = project.folder.parent / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=project.folder, stdout=file, stderr=subprocess.STDOUT
        )
    return Call(project, process, said)


def submit(project: Project, runs: list[str]) -> Call:
    """Snakemake itself as the job, with GPUs that it shares out among its own jobs."""
    command = f"{sys.executable} -m snakemake --configfile tiny.yaml"
    resources = ("--gpus=2", "--cpus-per-task=2", "--mem=16000", "--requeue", "--open-mode=append")
    targets = " ".join(f"{run}/history.tsv" for run in runs)
    lines = f"{command} --unlock\n{command} --cores 2 --resources gpu=2 -- {targets}"
    return begin(project, "sbatch", "--wait", *resources, f"--wrap={lines}")


def training_process(project: Project) -> int | None:
    """A process that trains in a project in which a state has been saved, or None."""
    if list((project.folder / EXPERIMENT / "checkpoints").rglob("fold*_epoch*.pt")):
        for folder in Path("/proc").glob("[0-9]*"):
            if trains(folder, project):
                return int(folder.name)
    return None


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
