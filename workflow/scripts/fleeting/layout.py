"""The files that a config asks for, for the rules and `make progress`.

Paths are relative to the results folder. `config` is a complete one, as `config.loading.load`
returns it.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from fleeting import registry
from fleeting.motion import motion_channels
from fleeting.paths import RUN
from fleeting.settings import variant

Config = dict[str, Any]
#: What a training job's checkpoints and logs are named after.
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
        """The folder of its results."""
        return f"experiments/{self.experiment}/{RUN.format(**self._asdict())}"

    @property
    def checkpoints(self) -> str:
        """The folder of its checkpoints and its heartbeat while it trains."""
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


def measures_motion(config: Config, name: str) -> bool:
    """Whether an input's arrays are the motion between two crops, which is then measured."""
    return hasattr(registry.load("input", config["inputs"][name]["kind"]), "BETWEEN")


def crops(config: Config) -> list[str]:
    """The names of the crops that these inputs are made of, sorted."""
    return sorted({config["inputs"][name]["crop"] for name in inputs(config)})


def selection_label(config: Config, crop: str) -> str:
    """The name of the folder of a crop's selection of frames."""
    module, settings = variant("selection", config["crops"][crop]["frames"])
    return str(module.label(settings))


def compares(kind: str, name: str) -> bool:
    """Whether a table or figure is about all experiments of the config."""
    return registry.constants(kind, name).get("SCOPE") == "comparison"


def holds_motion(config: Config, name: str) -> bool:
    """Whether each example of an input is one motion, as its channels say."""
    module, settings = variant("input", config["inputs"][name])
    return bool(motion_channels(module.values(settings).channels))


def experiments(config: Config, kind: str, name: str) -> list[str]:
    """The experiments that a table or figure is made for, if it is not about all of them."""
    blocks = config["experiments"]
    if registry.constants(kind, name).get("LOOKS_AT") != "motion":
        return list(blocks)
    return [own for own, block in blocks.items() if holds_motion(config, block["input"])]


def stem(kind: str, name: str) -> str:
    """The file name of a table or figure, without its ending; it may hold `{lr}`."""
    return str(registry.constants(kind, name).get("FILE", name))


def output_path(kind: str, name: str) -> str:
    """The path of a table or figure without its ending; it may hold `{experiment}` and `{lr}`."""
    folder = "comparison" if compares(kind, name) else f"experiments/{{experiment}}/{kind}s"
    return f"{folder}/{stem(kind, name)}"


def output_paths(config: Config, kind: str, *endings: str) -> Iterator[str]:
    """The paths of all tables or all figures, with each of the endings."""
    for name in registry.names(kind):
        path = output_path(kind, name)
        for experiment in [""] if compares(kind, name) else experiments(config, kind, name):
            lrs = config["experiments"][experiment]["grid"]["lrs"] if "{lr}" in path else [""]
            for lr, ending in product(lrs, endings):
                yield path.format(experiment=experiment, lr=lr) + ending
