"""The projects of `make controls`: config/controls*.yaml, and what is varied of them."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.files import write_text
from fleeting.layout import Config

EXPRESSION, LEAK, DOSE = (
    Path("config") / f"{name}.yaml" for name in ("controls", "controls_leak", "controls_dose")
)
#: (unit of permute_labels, experiment) of each negative control, the main one first.
PERMUTED = (
    ("subject", "pictures_apart"),
    ("subject", "pictures_left_out"),
    ("clip", "pictures_apart"),
    ("example", "pictures_apart"),
)
#: Below an experiment's folder: its predictions, and those of its baselines, counted by subject.
COUNTS, BASELINE_COUNTS = "evaluation/subject_counts.tsv", "evaluation/baseline_counts.tsv"
#: Where a synthetic database lies.
PLACES = ("table", "frames")
#: Permutations of each. Fewer would give an interval wider than chance ± MARGIN (20 give about
#: ± .025).
PERMUTATIONS = 20


@dataclass(frozen=True)
class Project:
    """One config and its results."""

    config: dict[str, Any]

    @property
    def results(self) -> Path:
        """The results folder."""
        return Path(self.config["results"])

    def counts(self, experiment: str) -> pd.DataFrame:
        """An experiment's predictions, counted by subject."""
        return schemas.read(self._below(experiment, COUNTS), schemas.SUBJECT_COUNTS)

    def split(self, experiment: str) -> pd.DataFrame:
        """The split of an experiment."""
        return tsv.read(self.results / f"experiments/{experiment}/split.tsv", tsv.SPLIT)

    def run(
        self, cores: int, experiments: Sequence[str], tables: Sequence[str] = (COUNTS,)
    ) -> None:
        """Run some experiments up to their counts.

        Args:
            cores: to use.
            experiments: their names.
            tables: `COUNTS`, `BASELINE_COUNTS` or both.

        Raises:
            UserError: the run failed; its log says why.
        """
        config, log = self.results / "config.yaml", self.results / "snakemake.log"
        write_text(yaml.safe_dump(self.config), config)
        # A call that was killed leaves its lock, and the next one works in the same folder.
        command = [sys.executable, "-m", "snakemake", "--nolock", "--cores", str(cores)]
        # gpu: on CPUs as many training jobs at a time as the cores allow.
        command += ["--resources", f"gpu={cores}", "--configfile", str(config), "--"]
        command += [str(self._below(name, table)) for name in experiments for table in tables]
        with log.open("w", encoding="utf-8") as stream:
            done = subprocess.run(command, stdout=stream, stderr=stream)
        if done.returncode:
            raise UserError(f"the run of {config} failed; {log} says why")

    def _below(self, experiment: str, table: str) -> Path:
        return self.results / f"experiments/{experiment}/{table}"


def read(path: Path) -> Config:
    """A config as it is written."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def expression() -> Project:
    """Full movement: what must be learnt."""
    return Project(read(EXPRESSION))


def permuted(
    controls: Sequence[tuple[str, str]] = PERMUTED,
) -> tuple[Project, dict[tuple[str, str], list[str]]]:
    """The same with permuted labels: what must not be learnt.

    Args:
        controls: (unit, experiment) of those to permute.

    Returns:
        The project, in the results folder of `expression`, and by (unit, experiment) the names of
        the experiments whose labels are permuted.
    """
    config = read(EXPRESSION)
    names: dict[tuple[str, str], list[str]] = {}
    for unit, base in controls:
        names[unit, base] = [f"{base}_{unit}{seed:02d}" for seed in range(1, PERMUTATIONS + 1)]
        for seed, name in enumerate(names[unit, base], start=1):
            config["experiments"][name] = {
                "based_on": base,
                "permute_labels": {"unit": unit, "seed": seed},
            }
    return Project(config), names


def leak() -> Project:
    """Who it is tells the class."""
    return Project(read(LEAK))


def doses(intensities: Sequence[float]) -> dict[float, Project]:
    """The project of each dose, by the share of the full expression at the apex."""
    made = {}
    for intensity in intensities:
        config = read(DOSE)
        config["synthetic"]["intensity"]["apex"] = intensity
        made[intensity] = Project(moved(config, f"{config['results']}/intensity{intensity:g}"))
    return made


def moved(config: Config, results: str) -> Config:
    """The same config with another results folder, the synthetic databases in it."""
    databases = {
        name: {
            **block,
            **{key: block[key].replace(config["results"], results, 1) for key in PLACES},
        }
        for name, block in config["databases"].items()
    }
    return {**config, "results": results, "databases": databases}
