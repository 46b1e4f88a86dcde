"""A scratch project for the benchmarks: synthetic crops of wanted sizes, packed and split."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
#: Runs the jobs: `job.py MODULE --name value...`.
JOB = ROOT / "workflow" / "scripts" / "job.py"
RESULTS = Path("results") / "benchmarks"


def config(
    name: str, sizes: Sequence[int], images_per_class: int, **changes: Any
) -> dict[str, Any]:
    """The config of a benchmark, with an experiment `size{size}` for each size of crops.

    The synthetic database stands in for CASME II as its provider crops it, so that no detector, and
    with that no network, is needed. `changes` are further keys of every experiment.
    """
    databases = RESULTS / name / "databases" / "CASME2"
    return {
        "results": str(RESULTS / name),
        "databases": {
            "casme2": {
                "table": str(databases / "CASME2-coding-20190701.xlsx"),
                "frames": str(databases / "Cropped"),
                "source": "cropped",
            }
        },
        "synthetic": {
            "subjects": {"casme2": max(4, images_per_class // 4)},
            "clips_per_subject": 14,
            "frames_per_clip": 3,
            "provider_crops": ["casme2"],
        },
        "crops": {f"size{size}": {"size": size} for size in sizes},
        "inputs": {f"size{size}": {"kind": "image", "crop": f"size{size}"} for size in sizes},
        "experiments": {
            f"size{size}": {
                "input": f"size{size}",
                "protocol": {"kind": "random_images", "images_per_class": images_per_class},
                **changes,
            }
            for size in sizes
        },
    }


def snakemake(block: dict[str, Any], *arguments: str, root: Path | None = None) -> str:
    """Run the workflow with a config; returns what it printed, or raises with it.

    `root` is the project's folder, where it is not this one.
    """
    root = root or ROOT
    place = Path(block["results"]) / "config.yaml"
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(yaml.safe_dump(block), encoding="utf-8")
    # A benchmark that was ended leaves its lock, and the next one works in the same folder.
    command = [sys.executable, "-m", "snakemake", "--nolock", *arguments]
    command += ["--configfile", str(place)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def prepare(name: str, sizes: Sequence[int], images_per_class: int) -> dict[int, Path]:
    """Make crops, packed examples and split; returns each size's experiment folder."""
    folders = {size: RESULTS / name / "experiments" / f"size{size}" for size in sizes}
    targets = [str(folder / "split.json") for folder in folders.values()]
    targets += [str(folder / "images") for folder in folders.values()]
    snakemake(config(name, sizes, images_per_class), *targets, "--cores", "all")
    return {size: ROOT / folder for size, folder in folders.items()}


def examples(folder: Path) -> Path:
    """The table of the examples of an experiment's folder; their arrays lie beside it."""
    return folder.parents[1] / "inputs" / folder.name / "casme2.tsv"
