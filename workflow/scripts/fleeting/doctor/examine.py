"""The whole examination, a subject after the other; nothing is written."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from fleeting.doctor import classes, config, databases, disk, machine, time, weights
from fleeting.doctor.findings import PROBLEM, Finding, guarded

#: A heading, and what is found under it while it is asked for.
Section = tuple[str, Iterable[Finding]]
MEASURING = (
    f"time (a few steps of each model are measured, about {time.BUDGET:.0f} seconds at most)"
)


def examine(path: Path) -> Iterator[Section]:
    """Look at everything that a config asks for, section by section.

    A config that cannot be used is the only section.
    """
    block, findings = config.look(path)
    yield "config", findings
    if block is None:
        return
    found = []
    for name in block["databases"]:
        found.append(databases.look(name, block))
        yield f"database {name}", found[-1].findings
    sizes = {}
    for name, experiment in block["experiments"].items():
        counts, findings = classes.look(name, experiment, found)
        if counts is not None:
            sizes[name] = counts
        yield f"classes of {name}", findings
    yield "weights", guarded("weights", partial(weights.look, block))
    devices, findings = machine.look(block)
    yield "machine", findings
    yield "disk", guarded("disk", partial(disk.look, block, found, sizes, devices))
    if not any(finding.level == PROBLEM for finding in findings):
        yield MEASURING, guarded("time", partial(time.look, block, sizes, devices))
