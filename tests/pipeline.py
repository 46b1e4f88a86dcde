"""A project folder of its own, with tiny synthetic databases, to run Snakemake in."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "envs")
SYNTHETIC = {
    "seed": 1,
    "subjects": {"casme": 2, "casme2": 2, "cas_me2": 2, "samm": 2},
    "clips_per_subject": 5,
    "frames_per_clip": 3,
}
ROOTS = {"casme": "CASME", "casme2": "CASME2", "cas_me2": "CAS(ME)^2", "samm": "SAMM"}
MARKUP = "</script><script>alert(1)</script>"
CONFIG: dict[str, Any] = {
    "databases": {name: {"root": f"databases/{folder}"} for name, folder in ROOTS.items()},
    "crops": {"tiny": {"size": 32, "box": "clip"}},
    "inputs": {"tiny": {"kind": "image", "crop": "tiny"}},
    "experiments": {
        "tiny": {
            "input": "tiny",
            # The paper's, and an emotion that must do no harm in the report.
            "label_map": {
                "disgust": ["disgust"],
                "happiness": ["happiness", "happy", "amusement"],
                "others": ["others", "other", MARKUP],
                "repression": ["repression"],
                "surprise": ["surprise"],
                "tense": ["tense"],
            },
            "exclude_subjects": ["samm/007"],
            "protocol": {"kind": "random_images", "images_per_class": 12},
            "trace": True,
            "recipe": {"weights": "none", "epochs": 2, "batch_size": 8, "threads": 1},
            "grid": {"models": ["resnet18", "small"], "lrs": ["1e-02"], "repeats": 1},
        }
    },
}


@dataclass(frozen=True)
class Outcome:
    """What a call of snakemake printed, and the jobs that it ran (or, with -n, would run)."""

    status: int
    text: str

    @property
    def jobs(self) -> Counter[str]:
        if "This was a dry-run" in self.text or "Nothing to be done" in self.text:
            table = self.text.rpartition("Job stats:")[2]
            found = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
            counts = Counter({rule: int(count) for rule, count in found})
        else:
            counts = Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", self.text))
        targets = {"all", "annotations", "frames", "faces", "inputs", "splits", "training"}
        # And what only prints: it comes with every new grid, recipe and split.
        for name in ("total", "evaluation", "figures", "estimate_grid", *targets):
            counts.pop(name, None)
        return counts


@dataclass(frozen=True)
class Project:
    """A folder with the workflow, its databases and perhaps results."""

    folder: Path

    @classmethod
    def new(cls, folder: Path, databases: Path) -> "Project":
        folder.mkdir(parents=True)
        # Other processes of pytest may write there at this moment.
        ignore = shutil.ignore_patterns("__pycache__")
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=ignore)
            else:
                shutil.copy(source, folder / part)
        shutil.copytree(databases, folder / "databases")
        project = cls(folder)
        project.configure()
        return project

    def copy(self, folder: Path) -> "Project":
        """Everything, .snakemake included; large files are linked, since nothing changes them.

        Compiled modules too: a project without them compiles all that its jobs import.
        """

        def copy(source: str, target: str) -> str:
            if source.endswith((".pt", ".npy")):
                os.link(source, target)
                return target
            return shutil.copy2(source, target)

        shutil.copytree(self.folder, folder, symlinks=True, copy_function=copy)
        return Project(folder)

    def fresh(self, folder: Path) -> "Project":
        """The same workflow and databases, as if nothing had run yet."""
        ignore = shutil.ignore_patterns("results", ".snakemake")
        shutil.copytree(self.folder, folder, ignore=ignore)
        return Project(folder)

    def shuffle_times(self) -> None:
        """Give every file another time, in no order: what `cp -r` may do at worst."""
        times = random.Random(1)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                seconds = path.stat().st_ctime - times.uniform(0, 3600)
                os.utime(path, (seconds, seconds))

    def configure(self, change: Any = None) -> None:
        """Write tiny.yaml, changed by a function that gets the config."""
        config = yaml.safe_load(yaml.safe_dump(CONFIG))
        if change:
            change(config)
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def edit(self, name: str) -> None:
        """Add a comment to a file below workflow/scripts: other bytes, same meaning."""
        path = self.folder / "workflow" / "scripts" / name
        path.write_text(path.read_text() + "\n# An edit.\n")

    def snakemake(self, *arguments: str, environment: dict[str, str] | None = None) -> Outcome:
        command = [sys.executable, "-m", "snakemake", *arguments]
        if "--cores" not in arguments:
            command += ["--cores", "2"]
        done = subprocess.run(
            [*command, "--configfile", "tiny.yaml"],
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)

    def run(self, *arguments: str) -> Outcome:
        """The same; a failure fails the test with what was printed."""
        outcome = self.snakemake(*arguments)
        assert outcome.status == 0, outcome.text
        return outcome

    def tables(self) -> dict[str, bytes]:
        """Every table of the results by its path, timings left out."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*.tsv"))
            if "benchmarks" not in path.parts
        }
