"""Run the demo's paper experiment with two commits and say what differs in its results.

    python tests/compare_commits.py 1a0c983 HEAD

Both run in work trees of their own, with this Python, one after the other on this machine. A table
of the first commit is compared with its counterpart in the second: byte by byte, and where the
contract renamed or added columns, column by column, without the statements of the paper that are
new. The exit status is 1 if anything else differs.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
EXPERIMENT, EPOCHS = "demo", 12
RUN = r"(runs/\w+/lr[\w.-]+/repeat\d+)"
#: Where version 2 writes what version 1 wrote elsewhere, as (pattern, path in version 2).
MOVED = (
    (r"frames/(\w+\.(\w+\.)?tsv)", r"frames/phases/\1"),
    (rf"experiments/{EXPERIMENT}/{RUN}/fold1/(.*)", rf"experiments/{EXPERIMENT}/\1/part1/\2"),
)
#: Columns that version 2 calls otherwise, by the file's name or ending.
RENAMED = {
    "split.tsv": {"image": "example"},
    "unused.tsv": {"image": "example", "reason": "code"},
    "predictions.tsv": {"image": "example"},
    "excluded.tsv": {"reason": "code"},
    "classes.tsv": {"images": "examples"},
    "all_runs.tsv": {
        f"test_macro_f1_{part}": f"test_uf1_{part}" for part in ("mean", "sd", "low", "high")
    },
}
#: What version 1 calls otherwise in the texts of tables.
WORDS = {
    "order of images": "order of examples",
    "all fifteen cells": "all fifteen configurations",
    "each other cell": "each other configuration",
    "highest mean validation accuracy at the last epoch": (
        "highest mean validation accuracy at the tested epoch"
    ),
}
#: What version 1 wrote in sentences and version 2 writes as codes.
CODES = {
    "emotion not in the label map": "emotion_unmapped",
    "phase not used": "phase_unused",
    "same file as another image": "same_source",
    "unseen subject": "excluded_subject",
    "over the cap": "over_cap",
}
#: Statements of the paper that version 1 did not compare.
NEW_CLAIMS = {"pretrained weights", "optimiser", "augmentations"}
#: What version 2 no longer has: unseen subjects are an experiment of their own (leave one out), the
#: images of a fold stand in split.tsv, a report's numbers in scores.tsv, and a subject's crops in
#: the table of its database.
GONE = re.compile(
    r"unseen|folds/1/|evaluation/(repeat_)?reports\.tsv|frames/\w+/[^/]+\.tsv|evaluation/runs\.tsv"
    r"|faces/\w+/\w+/[^/]+\.tsv"
)

Table = tuple[list[str], list[dict[str, str]]]


def main() -> int:
    """Run both commits and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commits", nargs=2, help="what to compare, the older commit first")
    parser.add_argument("--cores", default="2")
    parser.add_argument("--folder", type=Path, help="kept work trees; else a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        old, new = (results(commit, folder, given.cores) for commit in given.commits)
        return report(old, new)


def results(commit: str, folder: Path, cores: str) -> Path:
    """Run the demo's paper experiment in a work tree of a commit; returns its results folder."""
    name = subprocess.check_output(["git", "rev-parse", "--short", commit], cwd=ROOT, text=True)
    tree = (folder / name.strip()).absolute()
    if not tree.is_dir():
        subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
    config = yaml.safe_load((tree / "config" / "demo.yaml").read_text())
    config["experiments"] = {EXPERIMENT: config["experiments"][EXPERIMENT]}
    # That of 1a0c983, whatever a commit's demo has.
    config["experiments"][EXPERIMENT]["recipe"]["epochs"] = EPOCHS
    (tree / "compared.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--configfile", "compared.yaml"]
    subprocess.run([*command, "--cores", cores], cwd=tree, check=True)
    return tree / str(config["results"])


def report(old: Path, new: Path) -> int:
    """Print every difference between two results folders; 1 if there is an unexpected one."""
    same = renamed = 0
    wrong: list[str] = []
    for path in compared(old):
        name = str(path.relative_to(old))
        if GONE.search(name):
            continue
        other = new / moved(name)
        if not other.is_file():
            wrong.append(f"{name}: missing ({other.relative_to(new)})")
        elif path.read_bytes() == other.read_bytes():
            same += 1
        elif path.suffix == ".tsv" and not (found := list(differences(path, other))):
            renamed += 1
        elif path.suffix == ".tsv":
            wrong += [f"{name}: {line}" for line in found]
        else:
            wrong.append(f"{name}: other bytes")
    print(f"{same} files with the same bytes, {renamed} the same but for what is new or renamed")
    print("\n".join(wrong) or "nothing else differs")
    return int(bool(wrong))


def compared(folder: Path) -> Iterator[Path]:
    """Every table, figure and crop of a results folder; neither timings nor logs."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] in ("benchmarks", "logs", "databases", "weights") or path.is_symlink():
            continue
        if path.suffix in (".tsv", ".png", ".svg", ".pt"):
            yield path


def moved(name: str) -> str:
    """The path of a file of version 1 in version 2."""
    name = name.replace("/model.pt", "/models/fold1.pt")
    for pattern, path in MOVED:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, path, name)
    return name


def differences(old: Path, new: Path) -> Iterator[str]:
    """What differs between two tables beyond renamed and added columns and new statements."""
    columns, rows = read(old)
    others, other_rows = read(new)
    other_rows = [row for row in other_rows if row.get("claim") not in NEW_CLAIMS]
    renames: dict[str, str] = {}
    for ending, names in RENAMED.items():
        if old.name.endswith(ending):
            renames |= names
    if len(rows) != len(other_rows):
        yield f"{len(rows)} rows before, {len(other_rows)} now"
        return
    for column in columns:
        name = renames.get(column, column)
        if name not in others:
            yield f"column {column!r} is gone"
            continue
        for line, (row, other) in enumerate(zip(rows, other_rows, strict=True), start=2):
            if in_new_words(row[column]) != other[name]:
                yield f"line {line}, column {column!r}: {row[column]!r} before, {other[name]!r} now"
                break


def in_new_words(cell: str) -> str:
    """A cell of version 1 as version 2 writes it."""
    for old, new in WORDS.items():
        cell = cell.replace(old, new)
    return CODES.get(cell, cell)


def read(path: Path) -> Table:
    """The columns and rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(reader)
    return list(reader.fieldnames or []), rows


if __name__ == "__main__":
    sys.exit(main())
