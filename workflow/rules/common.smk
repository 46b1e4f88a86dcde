# Helpers of the rules: the checked config, the paths of results, the code that a job runs.
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

SCRIPTS = Path(workflow.current_basedir).parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from fleeting import dependencies, layout, registry
from fleeting.config import folds, loading
from fleeting.databases import table_file
from fleeting.databases import settings as database_settings
from fleeting.errors import UserError
from fleeting.evaluation.schemas import ALWAYS_SCORED
from fleeting.faces.settings import CropSettings
from fleeting.preflight import foreign_encoding, obstacle, unquotable
from fleeting.settings import named_variants
from fleeting.splits import labels
from fleeting.training import network_names
from snakemake.exceptions import WorkflowError

dependencies.prefer_this_python()
# The user of a container may be a number without a name, which Snakemake and PyTorch ask for.
os.environ.setdefault("USER", str(os.getuid()))
try:
    if found := foreign_encoding():
        raise UserError(found)
    for path in workflow.configfiles:
        loading.refuse_repeated_keys(Path(path))
    config = loading.load(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

DATABASES = list(config["databases"])
EXPERIMENTS = config["experiments"]


wildcard_constraints:
    crop="[a-z0-9_]+",
    database="[a-z0-9_]+",
    detector="[a-z0-9_]+",
    experiment="[a-z0-9_]+",
    input_name="[a-z0-9_]+",
    lr=r"[1-9](\.[0-9]+)?e-[0-9]{2}",
    model="[a-z0-9_]+",
    part="[0-9]+",
    repeat="[0-9]+",
    selection="[a-z0-9_]+",
    source="[a-z0-9_]+",


def result(path):
    """A path below the results folder, which every rule writes to."""
    return f"{config['results']}/{path}"


def in_experiment(path):
    """A path below an experiment's folder."""
    return result(f"experiments/{{experiment}}/{path}")


def results_folder(wildcards):
    """The results folder, for jobs that find several files in it."""
    return config["results"]


def accept_losses(wildcards):
    """Whether a stage may lose most of its input: a resource, since it changes no result."""
    return str(config["accept_losses"])


def as_json(block):
    """A block of the config as a job reads it; the order of its keys does not matter."""
    # The report embeds jobs' parameters in a script, which a `<` could end.
    return json.dumps(block, sort_keys=True).replace("<", "\\u003c")


@cache
def code(job, *variants):
    """The runner, a job's module and all that they import, the runner first.

    `variants` are the (kind, name) pairs of the modules that the job finds by name.
    """
    modules = [
        (
            network_names.module_name(name)
            if kind == "network"
            else registry.module_name(kind, name)
        )
        for kind, name in variants
    ]
    files = dependencies.files(f"fleeting.{job}", *modules)
    return [os.path.relpath(path) for path in files]


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


def input_of(name):
    """The config's block of an experiment's input."""
    return config["inputs"][EXPERIMENTS[name]["input"]]


def crop_of(name):
    """The config's block of the crops that an experiment's input is made of."""
    return config["crops"][input_of(name)["crop"]]


def refuse_unquotable():
    """Stop before a cluster's shell reads a command that Snakemake cannot quote."""
    places = [os.getcwd(), workflow.main_snakefile, *workflow.configfiles]
    if workflow.non_local_exec and (found := unquotable(map(str, places))):
        raise WorkflowError(found)


def print_obstacle():
    """Print what keeps jobs from writing their results, and perhaps their logs."""
    if found := obstacle(Path(config["results"])):
        print(f"Note: {found}", file=sys.stderr)


def print_summary():
    """After a run: what became of each database, the scores, and the seconds of each stage."""
    command = [sys.executable, str(SCRIPTS / "job.py"), "evaluation.final_summary"]
    command += ["--results", config["results"], "--experiments", *EXPERIMENTS]
    subprocess.run(command, check=False)
