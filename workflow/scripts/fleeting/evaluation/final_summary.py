"""What is printed after a run: warnings, accounting, scores and the seconds of each stage."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

#: The order of the flow; a benchmark's folder names its stage.
STAGES = (
    "synthetic annotations frames faces inputs splits training evaluation tables figures comparison"
).split()
#: What is shown of an experiment's tables.
SHOWN = {
    "databases": "database rows row_exclusions samples images_expected excluded_annotations "
    "excluded_frames excluded_faces crops excluded_inputs examples train validation test unused "
    "hit_rate",
    "all_runs": "model lr repeats validation_accuracy_mean test_accuracy_mean test_accuracy_low "
    "test_accuracy_high test_uf1_mean test_uar_mean chance failed",
}
#: The same of the table of all experiments.
COMPARED = (
    "experiment choice protocol folds model lr repeats accuracy_mean uf1_mean uar_mean chance "
    "majority"
)


def run(*, results: Path, experiments: list[str]) -> None:
    """Print the summary of a run.

    Args:
        results: the results folder.
        experiments: those of the config; the folder may hold others as well.
    """
    print(summary(results, experiments))


def summary(results: Path, experiments: Sequence[str]) -> str:
    """The text that is printed after a run, of the tables that exist."""
    parts = warnings(results)
    for name in experiments:
        for table, columns in SHOWN.items():
            path = results / "experiments" / name / "tables" / f"{table}.tsv"
            parts += _shown(path, f"{name}: {table}", columns)
    if len(experiments) > 1:
        parts += _shown(results / "comparison" / "experiments.tsv", "comparison", COMPARED)
    seconds = seconds_by_stage(results)
    if not seconds.empty:
        parts += ["seconds of work by stage (each job's last run)", seconds.to_string(index=False)]
    return "\n".join(parts)


def _shown(path: Path, title: str, columns: str) -> list[str]:
    """A table's columns that are not empty, for reading; nothing where there is no table."""
    if not path.is_file():
        return []
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE)
    filled = [column for column in columns.split() if column in frame and frame[column].any()]
    return [title, frame[filled].to_string(index=False), ""]


def seconds_by_stage(results: Path) -> pd.DataFrame:
    """Jobs and their summed wall seconds by stage, from the benchmark of each job's last run."""
    rows = []
    for stage in STAGES:
        files = sorted((results / "benchmarks" / stage).rglob("*.tsv"))
        # Snakemake writes them after its jobs; one may be empty if it was killed meanwhile.
        texts = [file.read_text(encoding="utf-8").splitlines() for file in files]
        seconds = [float(lines[1].split("\t")[0]) for lines in texts if len(lines) == 2]
        if seconds:
            rows.append({"stage": stage, "jobs": len(seconds), "seconds": round(sum(seconds), 1)})
    return pd.DataFrame(rows, columns=["stage", "jobs", "seconds"])


def warnings(results: Path) -> list[str]:
    """The warnings in the logs of the stages up to the split, which are easily overlooked."""
    lines = []
    for stage in ("annotations", "frames", "faces", "inputs", "splits"):
        for log in sorted((results / "logs" / stage).rglob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            lines += [line for line in text.splitlines() if line.startswith("Warning:")]
    return [*lines, ""] if lines else []
