"""Whether each line of config/review.yaml and config/optimisers.yaml runs, on the demo's databases.

Every experiment with one epoch from scratch, one repeat and one rate, on crops of 64 pixels. What
comes out are no results; `networks.py` trains the networks of the review for longer.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import scratch
import yaml

CONFIG = scratch.ROOT / "config"
READY = ("review", "optimisers")
SIDE = 64
#: Of a class, at most, so that a network of a hundred million weights takes seconds.
IMAGES_PER_CLASS = 20


def on_the_demos_databases(name: str, results: Path, lr: str, **recipe: Any) -> dict[str, Any]:
    """A ready config in small.

    Args:
        name: of a file in `config/`.
        results: where everything is written.
        lr: the one rate of every grid.
        recipe: further keys of every recipe.
    """
    block, demo = (
        yaml.safe_load((CONFIG / f"{file}.yaml").read_text(encoding="utf-8"))
        for file in (name, "demo")
    )
    moved = yaml.safe_dump(demo["databases"]).replace(demo["results"], str(results))
    small = {
        "results": str(results),
        "databases": yaml.safe_load(moved),
        "synthetic": demo["synthetic"],
        "crops": {"paper": {"box": "clip", "size": SIDE}},
    }
    experiments = {}
    for experiment, changes in block["experiments"].items():
        experiments[experiment] = {
            **changes,
            "protocol": {"images_per_class": IMAGES_PER_CLASS},
            "recipe": {**changes.get("recipe", {}), "weights": "none", **recipe},
            "grid": {**changes.get("grid", {}), "lrs": [lr], "repeats": 1},
        }
    return {**block, **small, "experiments": experiments}


def main() -> None:
    """Run both up to their comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", default="2")
    given = parser.parse_args()
    for name in READY:
        results = scratch.RESULTS / "sweeps" / name
        shutil.rmtree(scratch.ROOT / results / "experiments", ignore_errors=True)
        block = on_the_demos_databases(name, results, "1e-03", epochs=1, threads=1)
        # Rates at which nothing diverges are not to be found in one epoch.
        block["allow_missing"] = True
        scratch.snakemake(block, "--cores", given.cores, "--resources", f"gpu={given.cores}")
        trained = len(list((scratch.ROOT / results).glob("experiments/*/runs/**/run.json")))
        print(f"config/{name}.yaml: {trained} runs; see {results}/comparison")


if __name__ == "__main__":
    main()
