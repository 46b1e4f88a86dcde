"""What is printed after a run: warnings, accounting, scores and the seconds of each stage.

It is printed after every call of Snakemake, so it does without pandas, which takes longer to import
than all of this.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

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
    "majority best_null best_null_uar best_baseline best_baseline_uar"
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
    if seconds := seconds_by_stage(results):
        parts += ["seconds of work by stage (each job's last run)", *_aligned(seconds)]
    return "\n".join(parts)


def _shown(path: Path, title: str, columns: str) -> list[str]:
    """A table's columns that are not empty, for reading; nothing where there is no table."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    filled = [column for column in columns.split() if any(row.get(column) for row in rows)]
    return [title, *_aligned([{column: row[column] for column in filled} for row in rows]), ""]


def _aligned(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Rows of the same columns as lines, the header first, each column aligned to the right."""
    if not rows:
        return []
    lines = [[*rows[0]], *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        " ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]


def seconds_by_stage(results: Path) -> list[dict[str, object]]:
    """Jobs and their summed wall seconds by stage, from the benchmark of each job's last run."""
    rows: list[dict[str, object]] = []
    for stage in STAGES:
        files = sorted((results / "benchmarks" / stage).rglob("*.tsv"))
        # Snakemake writes them after its jobs; one may be empty if it was killed meanwhile.
        texts = [file.read_text(encoding="utf-8").splitlines() for file in files]
        seconds = [float(lines[1].split("\t")[0]) for lines in texts if len(lines) == 2]
        if seconds:
            rows.append({"stage": stage, "jobs": len(seconds), "seconds": round(sum(seconds), 1)})
    return rows


def warnings(results: Path) -> list[str]:
    """The warnings in the logs of the stages up to the split, which are easily overlooked."""
    lines = []
    for stage in ("annotations", "frames", "faces", "inputs", "splits"):
        for log in sorted((results / "logs" / stage).rglob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            lines += [line for line in text.splitlines() if line.startswith("Warning:")]
    return [*lines, ""] if lines else []
