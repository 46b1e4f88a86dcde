"""Look at a config, its databases and this machine before hours are spent; nothing is written."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fleeting.doctor import config as config_file
from fleeting.doctor import databases, disk, machine, weights
from fleeting.doctor.findings import Section, guarded
from fleeting.doctor.show import show


def run(*, config: Path = Path("config.yaml")) -> None:
    """Examine, print the findings, and exit with status 1 if something will stop the run."""
    if show(examine(config)):
        sys.exit(1)


def examine(path: Path) -> Iterator[Section]:
    """Look at everything that a config asks for, section by section.

    A config that cannot be used is the only section.
    """
    config, findings = config_file.look(path)
    yield "config", findings
    if config is None:
        return
    found = []
    for name in config["databases"]:
        found.append(databases.look(name, config))
        yield f"database {name}", found[-1].findings
    yield "weights", guarded("weights", partial(weights.look, config))
    devices, findings = machine.look(config)
    yield "machine", findings
    yield "disk", guarded("disk", partial(disk.look, config, found, devices))
