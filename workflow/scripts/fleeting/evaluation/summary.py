"""What a person reads at the end of a run: warnings, accounting, cells and seconds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

#: The order of the flow; a benchmark's folder names its stage.
STAGES = (
    "synthetic",
    "annotations",
    "frames",
    "faces",
    "splits",
    "training",
    "evaluation",
    "figures",
)
#: What is shown of an experiment's tables.
SHOWN = {
    "databases": ("database", "rows", "row_exclusions", "samples", "images_expected")
    + ("excluded_annotations", "excluded_frames", "excluded_faces", "crops")
    + ("train", "validation", "test", "unused", "hit_rate"),
    "all_runs": ("model", "lr", "repeats", "validation_accuracy_mean", "test_accuracy_mean")
    + ("test_accuracy_low", "test_accuracy_high", "chance", "failed"),
    "unseen_subjects": (
        "row",
        "model",
        "lr",
        "repeat",
        "repeats",
        "images",
        "accuracy_mean",
        "chance",
    ),
}


def seconds_by_stage(results: Path) -> pd.DataFrame:
    """Jobs and their summed wall seconds by stage, from the benchmark of each job's last run."""
    rows = []
    for stage in STAGES:
        files = sorted((results / "benchmarks" / stage).rglob("*.tsv"))
        # Snakemake writes them after its jobs; one that it was killed over may be empty.
        texts = [file.read_text(encoding="utf-8").splitlines() for file in files]
        seconds = [float(lines[1].split("\t")[0]) for lines in texts if len(lines) == 2]
        if seconds:
            rows.append({"stage": stage, "jobs": len(seconds), "seconds": round(sum(seconds), 1)})
    return pd.DataFrame(rows, columns=["stage", "jobs", "seconds"])


def warnings(results: Path) -> list[str]:
    """What the logs of the stages up to the split warn of, which nobody would look up there."""
    lines = []
    for stage in ("annotations", "frames", "faces", "splits"):
        for log in sorted((results / "logs" / stage).rglob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            lines += [line for line in text.splitlines() if line.startswith("Warning:")]
    return [*lines, ""] if lines else []


def summary(results: Path, experiments: Sequence[str]) -> str:
    """The text that is printed after a run; it shows what is there and asks for nothing.

    Args:
        results: the results folder.
        experiments: those of the config; the folder may hold others as well.
    """
    parts = warnings(results)
    for folder in (results / "experiments" / name for name in experiments):
        for name, columns in SHOWN.items():
            table = folder / "tables" / f"{name}.tsv"
            if table.is_file():
                frame = pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False)
                kept = [column for column in columns if column in frame and frame[column].any()]
                parts += [f"{folder.name}: {name}", frame[kept].to_string(index=False), ""]
    seconds = seconds_by_stage(results)
    if not seconds.empty:
        parts += ["seconds of work by stage (each job's last run)", seconds.to_string(index=False)]
    return "\n".join(parts)
