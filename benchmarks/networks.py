"""Every network of config/review.yaml, from scratch on the demo's databases, in one table.

Parameters, seconds and images a second of one training job at a time, and the UAR with its interval
over subjects. From scratch, on 120 pictures of one random split: it says what a network costs, and
little of how good it is.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import measure
import scratch
import sweeps

import fleeting.startup  # noqa: F401
from fleeting.evaluation import schemas
from fleeting.training.architecture import COLOURS, architecture

OUTPUT = Path(__file__).parent / "results" / "networks.json"
RESULTS = scratch.RESULTS / "networks"


def rows() -> list[dict[str, Any]]:
    """One measurement a network, the smallest first."""
    found = []
    for path in sorted((scratch.ROOT / RESULTS).glob("experiments/*/runs/**/run.json")):
        written = json.loads(path.read_text(encoding="utf-8"))
        network = architecture(
            written["model"], COLOURS, (sweeps.SIDE, sweeps.SIDE), pretrained=False
        )
        outline = network.outline(len(written["classes"]))
        folder = scratch.ROOT / RESULTS / "experiments" / written["experiment"]
        found.append(
            {
                "model": written["model"],
                "parameters": sum(one.numel() for one in outline.parameters()),
                "pixels": network.size[0],
                "epochs": written["settings"]["epochs"],
                "precision": written["precision"],
                "device": written["device"],
                "seconds": written["seconds"],
                "images_per_second": written["images_per_second"],
                **uar(folder, written["model"]),
            }
        )
    return sorted(found, key=lambda row: row["parameters"])


def uar(folder: Path, model: str) -> dict[str, float]:
    """The UAR of a model over all test examples, with its interval."""
    table = schemas.read(folder / "evaluation/intervals.tsv", schemas.INTERVALS)
    row = table[
        (table["model"] == model) & (table["group"] == "all") & (table["metric"] == "uar")
    ].iloc[0]
    return {"uar": row["mean"], "uar_low": row["low"], "uar_high": row["high"]}


def main() -> None:
    """Train them one after the other, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    recipe = {"optimiser": "adamw", "epochs": given.epochs, "precision": "fp32"}
    block = sweeps.on_the_demos_databases("review", RESULTS, "1e-03", **recipe)
    targets = [
        f"{RESULTS}/experiments/{name}/evaluation/intervals.tsv" for name in block["experiments"]
    ]
    # One at a time: what is measured is a job that has both cores.
    scratch.snakemake(block, *targets, "--cores", "2", "--resources", "gpu=1")
    found = rows()
    measure.write(found, given.output)
    print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
