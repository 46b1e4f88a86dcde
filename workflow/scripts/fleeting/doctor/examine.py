"""Examine a config, its databases and this machine before hours are spent; nothing is written."""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fleeting.config.loading import read
from fleeting.doctor import databases, disk, machine, splits, weights
from fleeting.doctor.findings import PROBLEM, Finding, findings_of, fine
from fleeting.layout import Config


def run(*, config: Path = Path("config.yaml")) -> None:
    """Print what is found, the problems last, and exit with status 1 if there are any."""
    problems = []
    for heading, findings in examine(read(config)):
        print(heading, flush=True)
        for finding in findings:
            if finding.level == PROBLEM:
                problems.append((heading, finding))
            else:
                _print(finding.level, finding)
        print()
    for heading, finding in problems:
        _print(f"{PROBLEM}, {heading}:", finding)
    if problems:
        print(f"Problems: {len(problems)}. Fix them before a run.")
        sys.exit(1)
    print("No problems: nothing that was examined will stop a run.")


def examine(config: Config) -> Iterator[tuple[str, Iterable[Finding]]]:
    """Everything that a config asks for: headings, each with what was found."""
    yield "config", [_grid(name, block) for name, block in config["experiments"].items()]
    frames: dict[str, Counter[str]] = {}
    with TemporaryDirectory() as folder:
        for name in config["databases"]:
            yield (
                f"database {name}",
                findings_of(
                    partial(databases.examine, name, config, frames, Path(folder)),
                    f"Or remove {name} from `databases`: what is not listed there is not used.",
                ),
            )
        yield "splits", findings_of(partial(splits.examine, config, Path(folder)))
    yield "weights", weights.examine(config)
    yield "machine", findings_of(partial(machine.examine, config))
    yield "disk", findings_of(partial(disk.examine, config, frames))


def _grid(name: str, block: dict[str, Any]) -> Finding:
    grid = block["grid"]
    counts = {"model": len(grid["models"]), "rate": len(grid["lrs"]), "repeat": grid["repeats"]}
    factors = " x ".join(_counted(count, thing) for thing, count in counts.items())
    return fine(
        f"experiment {name}: {factors} = {_counted(math.prod(counts.values()), 'run')} of "
        f"{_counted(block['recipe']['epochs'], 'epoch')} a fold ({block['protocol']['kind']})"
    )


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'s' * (count != 1)}"


def _print(label: str, finding: Finding) -> None:
    print(f"  {label}  {finding.text}")
    if finding.remedy:
        print(f"    -> {finding.remedy}")
    sys.stdout.flush()
