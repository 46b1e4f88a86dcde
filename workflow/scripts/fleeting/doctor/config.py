"""The config: whether it can be parsed, has no key twice and only values that can be used."""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from fleeting.config.loading import Config, check_keys, load
from fleeting.doctor.findings import Finding, fine, guarded, problem
from fleeting.errors import UserError
from fleeting.jobs import describe

SUBJECT = "config"


def look(path: Path) -> tuple[Config | None, list[Finding]]:
    """The config, complete, or None where it cannot be used; and what there is to say of it."""
    try:
        text = path.read_text(encoding="utf-8")
        config = yaml.safe_load(text)
    except FileNotFoundError:
        remedy = "Name your file: make doctor CONFIG=mine.yaml."
        return None, [problem(SUBJECT, f"{path}: no such file", remedy)]
    except OSError as error:
        remedy = "Name a file that you may read: make doctor CONFIG=mine.yaml."
        return None, [problem(SUBJECT, f"{path}: cannot be read ({error.strerror})", remedy)]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        remedy = "Save the file as UTF-8."
        return None, [problem(SUBJECT, f"{path}, line {line}: not UTF-8 text", remedy)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return None, [problem(SUBJECT, f"{path}{_place(error)}", "Correct this line, or the next.")]
    found = list(guarded(SUBJECT, partial(_keys, path)))
    if not isinstance(config, dict):
        remedy = "It must at least list `databases`; README.md shows the shortest one."
        return None, [*found, problem(SUBJECT, f"{path}: holds no keys with values", remedy)]
    try:
        whole = load(config)
    except UserError as error:
        return None, [*found, problem(SUBJECT, str(error), f"Correct these places in {path}.")]
    except Exception as error:
        return None, [*found, problem(SUBJECT, f"{path}: {describe(error)}")]
    if not found:
        databases = ", ".join(whole["databases"])
        text = f"{path}: every key and value can be used; databases: {databases}"
        found.append(fine(SUBJECT, text))
    for name, block in whole["experiments"].items():
        found.append(fine(SUBJECT, f"experiment {name}: {_grid(block)}"))
    return whole, found


def _grid(block: dict[str, Any]) -> str:
    """The runs of an experiment in words."""
    grid = block["grid"]
    counts = {"model": len(grid["models"]), "rate": len(grid["lrs"]), "repeat": grid["repeats"]}
    terms = " x ".join(_count(number, thing) for thing, number in counts.items())
    runs, epochs = math.prod(counts.values()), block["recipe"]["epochs"]
    protocol = block["protocol"]["kind"]
    return f"{terms} = {_count(runs, 'run')} of {_count(epochs, 'epoch')} a fold ({protocol})"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _place(error: Exception) -> str:
    """Line and reason of a file that is not YAML."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        reason = " ".join(filter(None, [error.context, error.problem]))
        return f", line {mark.line + 1}, column {mark.column + 1}: not YAML: {reason}"
    return f": not YAML: {' '.join(str(error).split())}"


def _keys(path: Path) -> Iterator[Finding]:
    """PyYAML silently takes the last of two equal keys; the workflow refuses them."""
    check_keys(path)
    yield from ()
