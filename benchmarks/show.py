"""The measurements of `latest.json` as a table and a plot."""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLUMNS = {
    "model": "model",
    "size": "pixels",
    "batch_size": "batch",
    "precision": "precision",
    "precision_used": "used",
    "naive_precision": "naive used",
    "naive_images_per_second": "naive images/s",
    "images_per_second": "images/s",
    "ratio": "x naive loop",
    "spread": "lowest to highest",
    "share_of_peak": "share of matmul peak",
    "naive_share_of_peak": "naive loop's share",
    "seconds_outside_loop": "s outside the loop",
    "naive_seconds_outside_loop": "naive s outside",
    "memory": "host GB",
    "naive_memory": "naive host GB",
    "device_memory": "device GB",
    "naive_device_memory": "naive device GB",
}


def write(path: Path) -> None:
    """Write the table and the plot beside the measurements."""
    rows = json.loads(path.read_text())
    path.with_suffix(".md").write_text(table(rows), encoding="utf-8")
    plot(rows, path.with_suffix(".png"))


def table(rows: list[dict[str, Any]]) -> str:
    """The measurements and their machine as Markdown."""
    cells = [_cells(row) for row in rows]
    used = [key for key in COLUMNS if any(row[key] for row in cells)]
    lines = ["| " + " | ".join(COLUMNS[key] for key in used) + " |", "|" + " --- |" * len(used)]
    lines += ["| " + " | ".join(row[key] for key in used) + " |" for row in cells]
    facts = rows[0]["machine"]
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "torch", "torchvision"))
    flags = " ".join(facts["flags"])
    return (
        f"Device: {rows[0]['device']}. Processor: {facts['cpu']}, {facts['cores']} cores, {flags}. "
        f"{versions}. Threads: {rows[0]['threads']}. Ratios of images a second within a round, "
        f"median of {rows[0]['rounds']} rounds with the lowest and highest; "
        f"{rows[0]['train_images']} training and {rows[0]['validation_images']} validation images, "
        f"{rows[0]['epochs']} epochs{_tested(rows[0])}.\n\n" + "\n".join(lines) + "\n"
    )


def _tested(row: dict[str, Any]) -> str:
    """Up to commit 1a0c983 the test images were no part of a training job."""
    return f"; {row['test_images']} test images, once" if "test_images" in row else ""


def _cells(row: dict[str, Any]) -> dict[str, str]:
    gigabytes = {
        "memory": row["peak_host_bytes"],
        "naive_memory": row["naive_peak_host_bytes"],
        "device_memory": row["peak_device_bytes"],
        "naive_device_memory": row["naive_peak_device_bytes"],
    }
    return {
        **{key: str(row[key]) for key in ("model", "size", "batch_size")},
        **{key: row[key] for key in ("precision", "precision_used", "naive_precision")},
        **{key: f"{row[key]:.1f}" for key in ("naive_images_per_second", "images_per_second")},
        "ratio": f"{row['ratio']:.2f}",
        "spread": f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}",
        "share_of_peak": f"{row['share_of_peak']:.0%}",
        "naive_share_of_peak": f"{row['naive_share_of_peak']:.0%}",
        "seconds_outside_loop": f"{row['seconds_outside_loop']:.1f}",
        "naive_seconds_outside_loop": f"{row['naive_seconds_outside_loop']:.1f}",
        **{key: f"{value / 1e9:.2f}" if value else "" for key, value in gigabytes.items()},
    }


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """A bar a measurement, with the lowest and highest ratio of the rounds."""
    names = [
        f"{row['model']}, {row['size']} px, batch {row['batch_size']}, {row['precision']}"
        + (f" ({row['precision_used']})" if row["precision"] == "auto" else "")
        for row in rows
    ]
    ratios = [row["ratio"] for row in rows]
    spread = [
        [row["ratio"] - row["ratio_low"] for row in rows],
        [row["ratio_high"] - row["ratio"] for row in rows],
    ]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.32 * len(rows)), layout="constrained")
    axes.barh(names, ratios, xerr=spread, color="#4477aa", ecolor="black", capsize=3)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("images a second, times the naive loop's (lowest to highest round)")
    axes.set_title(rows[0]["device"], fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)
