"""Which files a config asks for, and where they lie: what the rules and `make progress` share.

Paths are relative to the results folder. `config` is a complete one, as `config.loading.load`
returns it.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from fleeting import registry
from fleeting.settings import variant

Config = dict[str, Any]
#: The folder of a training job's results, and the name of what belongs to the job elsewhere.
RUN = "runs/{model}/lr{lr}/repeat{repeat}/part{part}"
RUN_NAME = "{model}_lr{lr}_repeat{repeat}_part{part}"


class Job(NamedTuple):
    """A training job: a run, or one part of it."""

    experiment: str
    model: str
    lr: str
    repeat: int
    part: int

    @property
    def folder(self) -> str:
        """Where its results lie."""
        return f"experiments/{self.experiment}/{RUN.format(**self._asdict())}"

    @property
    def checkpoints(self) -> str:
        """Where it keeps its checkpoints and its heartbeat while it trains."""
        return f"experiments/{self.experiment}/checkpoints/{RUN_NAME.format(**self._asdict())}"


def training_jobs(config: Config, experiment: str) -> list[Job]:
    """All training jobs of an experiment, in the order of its grid."""
    block = config["experiments"][experiment]
    grid = block["grid"]
    repeats, parts = (range(1, count + 1) for count in (grid["repeats"], block["parts"]))
    return [
        Job(experiment, *values) for values in product(grid["models"], grid["lrs"], repeats, parts)
    ]


def inputs(config: Config) -> list[str]:
    """The names of the inputs that the experiments use, sorted."""
    return sorted({block["input"] for block in config["experiments"].values()})


def crops(config: Config) -> list[str]:
    """The names of the crops that these inputs are made of, sorted."""
    return sorted({config["inputs"][name]["crop"] for name in inputs(config)})


def selection(config: Config, crop: str) -> str:
    """The folder's name of a crop's selection of frames."""
    module, settings = variant("selection", config["crops"][crop]["frames"])
    return str(module.label(settings))


def compares(kind: str, name: str) -> bool:
    """Whether a table or figure is about all experiments of the config."""
    return registry.constants(kind, name).get("SCOPE") == "comparison"


def stem(kind: str, name: str) -> str:
    """The file name of a table or figure, without its ending; it may hold `{lr}`."""
    return str(registry.constants(kind, name).get("FILE", name))


def written(kind: str, name: str) -> str:
    """The path of a table or figure without its ending; it may hold `{experiment}` and `{lr}`."""
    folder = "comparison" if compares(kind, name) else f"experiments/{{experiment}}/{kind}s"
    return f"{folder}/{stem(kind, name)}"


def all_written(config: Config, kind: str, *endings: str) -> Iterator[str]:
    """The paths of all tables or all figures, with each of the endings."""
    for name in registry.names(kind):
        path = written(kind, name)
        for experiment in [""] if compares(kind, name) else config["experiments"]:
            lrs = config["experiments"][experiment]["grid"]["lrs"] if "{lr}" in path else [""]
            for lr, ending in product(lrs, endings):
                yield path.format(experiment=experiment, lr=lr) + ending
