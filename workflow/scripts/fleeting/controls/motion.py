"""`make motion`: what motion is worth on synthetic databases whose truth is known."""

import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.controls import alignment, apexes, projects
from fleeting.errors import UserError
from fleeting.evaluation import runs
from fleeting.evaluation.metrics import uar
from fleeting.evaluation.paired import (
    Difference,
    count_by_subject,
    counts_of,
    difference,
    subjects_of,
)
from fleeting.layout import Config

SYNTHETIC, BEYOND = (Path("config") / f"motion_{name}.yaml" for name in ("synthetic", "beyond"))
#: The experiments of `BEYOND` are compared with the first; those of `SYNTHETIC` with the second.
BASE, FLOW = "base", "flow"
KERNEL = "regional_kernel_ridge"
SPLIT_FILES = ("split.json", "split.tsv", "folds.tsv")
#: What must be worse than aligned flow, with its whole interval.
WORSE = ("flow_unaligned", "pairs", "apex")
#: Other databases than those of `BEYOND`, by name: values of its `synthetic` block.
CONDITIONS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "subtler": {"intensity": {"apex": 0.03}},
    "no drift": {"disturbances": {"drift": 0, "roll": 0}},
    "more drift": {"disturbances": {"drift": 20, "roll": 10}},
    "more flicker": {"disturbances": {"flicker": 0.2}},
    "unlike people": {"disturbances": {"identity": 2}},
}
#: The conditions under which networks are trained, which takes longer than all else.
TRAINED = ("as it is", "subtler")
#: The UAR of an experiment, and how much it is above (negative: below) that of the one that it is
#: compared with, with the interval over subjects; `learner` is a network or a baseline.
WORTH: tsv.Schema = {
    "condition": tsv.TEXT,
    "experiment": tsv.NAME,
    "learner": tsv.NAME,
    "uar": tsv.NUMBER,
    "compared_with": tsv.NAME,
    "difference": tsv.NUMBER,
    "interval_low": tsv.NUMBER,
    "interval_high": tsv.NUMBER,
}


def run(*, cores: int, beyond: bool) -> None:
    """Measure, print, and write tables beside the results.

    Args:
        cores: of this machine to use.
        beyond: the variants of config/motion_beyond.yaml under each of `CONDITIONS`, the networks
            under `TRAINED` alone, in place of the run of config/motion_synthetic.yaml.

    Raises:
        UserError: aligned flow is not better than what it must be better than.
    """
    if beyond:
        _beyond(cores)
        return
    project = projects.Project(projects.read(SYNTHETIC))
    _run(project, cores)
    left = alignment.summary(alignment.errors(project.results, "aligned"))
    _show(project.results, "alignment", left)
    searched = [name for name, block in project.config["inputs"].items() if "apex" in block]
    errors = [apexes.errors(project.results, name).assign(input=name) for name in searched]
    _show(project.results, "apexes", pd.concat(errors))
    found = worth(project, FLOW)
    tsv.write(found, project.results / "worth.tsv", WORTH)
    print(found.drop(columns="condition").round(3).to_string(index=False))
    networks = found[(found["learner"] != KERNEL) & found["experiment"].isin(WORSE)]
    # Not `>= 0`, which an interval that is not known would pass.
    if len(failed := networks[~(networks["interval_high"] < 0)]):
        raise UserError(
            f"aligned flow is not above {', '.join(failed['experiment'])} with its whole interval; "
            f"{project.results / 'worth.tsv'} has the numbers"
        )


def conditions(config: Config) -> dict[str, Config]:
    """A config for each of `CONDITIONS`, in a folder of its own below the config's results."""
    made = {}
    for name, changes in CONDITIONS.items():
        own = deepcopy(config)
        _update(own["synthetic"], changes)
        made[name] = projects.moved(own, f"{config['results']}/{name.replace(' ', '_')}")
    return made


def worth(
    project: projects.Project, base: str, condition: str = "", networks: bool = True
) -> pd.DataFrame:
    """How much each experiment's UAR is above that of another, learner by learner (`WORTH`).

    Compared are the clips that both test: one may search for an apex that the other has not.

    Args:
        project: a finished one.
        base: the experiment that the others are compared with.
        condition: for the table.
        networks: whether there are networks, besides the kernel ridge.
    """
    of_base = predictions(project, base, networks)
    rows = []
    for name in project.config["experiments"]:
        for learner, table in predictions(project, name, networks).items():
            found = _difference(table, of_base[learner])
            rows.append(
                {
                    "condition": condition,
                    "experiment": name,
                    "learner": learner,
                    "uar": found.first,
                    "compared_with": base,
                    "difference": found.mean,
                    "interval_low": found.low,
                    "interval_high": found.high,
                }
            )
    return pd.DataFrame(rows, columns=list(WORTH))


def _beyond(cores: int) -> None:
    config = projects.read(BEYOND)
    tables = []
    for name, own in conditions(config).items():
        project, networks = projects.Project(own), name in TRAINED
        _run(project, cores, networks)
        tables.append(worth(project, BASE, name, networks))
        print(tables[-1].round(3).to_string(index=False), flush=True)
    tsv.write(pd.concat(tables), Path(config["results"]) / "worth.tsv", WORTH)


def predictions(
    project: projects.Project, experiment: str, networks: bool
) -> dict[str, pd.DataFrame]:
    """The test predictions of an experiment's first network, and of its kernel ridge if it has one.

    Args:
        project: a finished one.
        experiment: its name.
        networks: whether a network was trained.

    Returns:
        By learner: `sample`, `person`, `label`, `predicted` and `repeat`.
    """
    folder = project.results / "experiments" / experiment
    tested = tsv.read(folder / "split.tsv", tsv.SPLIT).drop_duplicates("example")
    samples = tested[["example", "sample", "person"]]
    found = {}
    if networks:
        block = load(project.config)["experiments"][experiment]
        expected = runs.read_expected(*(folder / name for name in SPLIT_FILES))
        grid = runs.Grid.model_validate(block["grid"])
        every = runs.read_all(project.results, experiment, grid, block["parts"], expected)
        model = grid.models[0]
        own = [run for run in every if run.model == model]
        table = pd.concat([run.predictions.assign(repeat=run.repeat) for run in own])
        found[model] = table.drop(columns="person").merge(samples, on="example")
    kernel = folder / "baselines" / KERNEL / "predictions.tsv"
    if kernel.is_file():
        table = tsv.read(kernel, tsv.BASELINE_PREDICTIONS)
        found[KERNEL] = table.merge(samples, on="example")
    return found


def _difference(first: pd.DataFrame, second: pd.DataFrame) -> Difference:
    shared = set(first["sample"]) & set(second["sample"])
    tables = [count_by_subject(table[table["sample"].isin(shared)]) for table in (first, second)]
    subjects, classes = subjects_of(tables[0]), sorted(set(tables[0]["label"]))
    one, other = (counts_of(table, subjects, classes) for table in tables)
    databases = [database for database, _ in subjects]
    return difference(one, other, databases, uar.score, paired_repeats=True)


def _run(project: projects.Project, cores: int, networks: bool = True) -> None:
    start = time.monotonic()
    tables = [projects.COUNTS] if networks else []
    project.run(cores, list(project.config["experiments"]), [*tables, projects.BASELINE_COUNTS])
    print(f"{project.results}: {(time.monotonic() - start) / 60:.1f} minutes", flush=True)


def _show(results: Path, name: str, table: pd.DataFrame) -> None:
    tsv.write(table, results / f"{name}.tsv", {})
    print(f"{table.round(3).to_string(index=False)}\n")


def _update(block: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        block[key] = {**block[key], **value} if isinstance(value, Mapping) else value
