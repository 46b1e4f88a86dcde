"""442 ready motion pictures of 68 subjects, leave one subject out: seconds of both recipes.

The pictures, 28 x 28 x 3 in the numbers of the MEGC 2019 composite (see `leave_one_out.py`), are
named by a TSV table and take no code. The regional kernel ridge is measured as the baseline's job,
the network of two layers as the training of all folds in two parts, by Snakemake's call; its recipe
and epochs are those of `config/motion.yaml`, at one rate and with one repeat. The pictures are
synthetic: the seconds say something, the scores nothing.
"""

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import leave_one_out
import measure
import scratch
import yaml

OUTPUT = Path(__file__).parent / "results" / "motion.json"
RESULTS = scratch.RESULTS / "motion"
NAME = "motion"
FOLDER = RESULTS / "experiments" / NAME


def config() -> dict[str, Any]:
    """The recipe of config/motion.yaml, on ready pictures."""
    ready = yaml.safe_load((scratch.ROOT / "config/motion.yaml").read_text(encoding="utf-8"))
    experiment = {
        **ready["experiments"]["flow"],
        "label_map": leave_one_out.LABEL_MAP,
        "baselines": ["regional_kernel_ridge"],
    }
    experiment["grid"] = {**experiment["grid"], "lrs": ["1e-03"], "repeats": 1}
    return {
        **leave_one_out.database_and_input(RESULTS),
        "experiments": {NAME: experiment},
        # Where there is a GPU, both parts share it.
        "gpu_slots_per_device": experiment["parts"],
    }


def seconds(*targets: str) -> float:
    """Seconds of Snakemake's call for some targets; everything above them is there."""
    start = time.perf_counter()
    scratch.snakemake(config(), *targets, "--cores", "2", "--resources", "gpu=2")
    return time.perf_counter() - start


def main() -> None:
    """Measure both once, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    shutil.rmtree(scratch.ROOT / RESULTS, ignore_errors=True)
    leave_one_out.write_database(scratch.ROOT / RESULTS / "databases")
    scratch.snakemake(config(), "splits", "--cores", "2")
    found = {
        "name": "442 motion pictures, leave one subject out",
        "epochs": config()["experiments"][NAME]["recipe"]["epochs"],
        "regional_kernel_ridge_seconds": seconds(f"{FOLDER}/evaluation/baselines.tsv"),
        "two_layer_seconds": seconds("training"),
    }
    measure.write([found], given.output)
    print(found)


if __name__ == "__main__":
    main()
