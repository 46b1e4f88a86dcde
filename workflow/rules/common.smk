# Helpers of the rules: the checked config, the places of results, the code that a rule runs.
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from fleeting import dependencies, registry
from fleeting.config import check_keys, complete
from fleeting.databases import find
from fleeting.errors import UserError
from fleeting.obstacles import obstacle, unquotable
from snakemake.exceptions import WorkflowError

dependencies.prefer_this_python()
try:
    for path in workflow.configfiles:
        check_keys(Path(path))
    config = complete(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

DATABASES = list(config["databases"])
EXPERIMENTS = config["experiments"]


wildcard_constraints:
    crop="[a-z0-9_]+",
    database="[a-z0-9_]+",
    detector="[a-z0-9_]+",
    experiment="[a-z0-9_]+",
    fold="[a-z0-9_]+",
    lr=r"[1-9](\.[0-9]+)?e-[0-9]{2}",
    model="[a-z0-9_]+",
    repeat="[0-9]+",
    source="[a-z0-9_]+",
    subject="[^/]+",


def result(path):
    """A path below the results folder, which every rule writes to."""
    return f"{config['results']}/{path}"


def results_folder(wildcards):
    """The results folder, for scripts that find several tables in it."""
    return config["results"]


def as_json(block):
    """A block of the config as a script reads it; the order of its keys is no change."""
    # A `<` could end the script in the report that jobs' parameters are part of.
    return json.dumps(block, sort_keys=True).replace("<", "\\u003c")


def in_experiment(path):
    """A path below an experiment's folder."""
    return result(f"experiments/{{experiment}}/{path}")


@cache
def code(script, *named):
    """A script and the project modules that it imports, the script first.

    `named` are (kind, name) pairs of modules that the script finds through the registry.
    """
    modules = [registry.module_name(kind, name) for kind, name in named]
    files = dependencies.files(script, *modules)
    files.sort(key=lambda path: path.name != script or path.parent != SCRIPTS)
    return [os.path.relpath(path) for path in files]


def settled(wildcards):
    """The checkpoints above a job's runs, for jobs below them: see splits.smk."""
    name = wildcards.experiment
    packed = expand(
        in_experiment("folds/{fold}/{part}.json"),
        experiment=name,
        fold=folds(name),
        part=["training", "test"],
    )
    split = in_experiment("split.tsv").format(experiment=name)
    return ancient([split, *packed, *weights_of_grid(wildcards)])


def experiment(wildcards):
    """The config's block of a job's experiment."""
    return EXPERIMENTS[wildcards.experiment]


def of_experiments(*paths):
    """The given paths of every experiment."""
    return [
        in_experiment(path).format(experiment=name)
        for name in EXPERIMENTS
        for path in paths
    ]


def grid(wildcards):
    """The grid of a job's experiment with its folds, as a script reads it."""
    return as_json(
        {**experiment(wildcards)["grid"], "folds": folds(wildcards.experiment)}
    )


def folds(name):
    """The folds of an experiment; the paper's split has one."""
    return ["1"]


def runs(name, files):
    """Files of every run of an experiment's grid."""
    block = EXPERIMENTS[name]["grid"]
    return expand(
        result(
            "experiments/{experiment}/runs/{model}/lr{lr}/repeat{repeat}/fold{fold}/{file}"
        ),
        experiment=name,
        model=block["models"],
        lr=block["lrs"],
        repeat=range(1, block["repeats"] + 1),
        fold=folds(name),
        file=files,
    )


def refuse_unquotable():
    """Stop before a cluster's shell reads a command that Snakemake cannot quote."""
    places = [os.getcwd(), workflow.main_snakefile, *workflow.configfiles]
    if workflow.non_local_exec and (found := unquotable(map(str, places))):
        raise WorkflowError(found)


def print_obstacle():
    """What keeps jobs from writing their results, and perhaps their logs."""
    if found := obstacle(Path(config["results"])):
        print(f"Note: {found}", file=sys.stderr)


def print_summary():
    """After a run: what went where, by database, and the seconds of each stage."""
    script = str(SCRIPTS / "print_summary.py")
    command = [sys.executable, script, "--results", config["results"]]
    subprocess.run([*command, "--experiments", *EXPERIMENTS], check=False)
