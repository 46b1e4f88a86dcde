"""Runs of seconds on pictures of 32 pixels."""

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fleeting import tsv
from fleeting.paths import sha256
from fleeting.splits import gate as gates
from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat, Gate
from fleeting.training.architecture import architecture
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.interruption import Stopped
from fleeting.training.recipe import Recipe
from fleeting.training.run import run

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
RECIPE: dict[str, Any] = {
    "weights": "none",
    "batch_size": 4,
    "epochs": 2,
    "threads": 1,
}
CLASSES = ("bright", "dark")
ARRAYS = ArrayFormat(
    channels=("red", "green", "blue"), zero=0, unit=255, shape=(32, 32, 3), dtype="uint8"
)
COUNT = 22
NETWORK = architecture("small", ARRAYS.channels, (32, 32), pretrained=False)


def pictures(count: int = COUNT, size: int = 32) -> np.ndarray:
    """(count, size, size, 3) noise, dark and bright in turn."""
    random = np.random.default_rng(0)
    levels = [40, 200] * (count // 2) + [40] * (count % 2)
    return np.stack(
        [random.integers(level, level + 40, (size, size, 3), dtype=np.uint8) for level in levels]
    )


def small_split(folder: Path, folds: int = 1, names: Iterable[str] | None = None) -> None:
    """An input of 22 examples of two classes, dark and bright, and a split of it.

    One fold has ten training, six validation and six test examples; of several, each tests on
    another part of the examples, and their sizes differ.
    """
    arrays = pictures()
    examples, split = [], []
    for number, array in enumerate(arrays):
        sample = {
            "example": f"image{number:02}",
            "sample": f"sample{number:02}",
            "database": "d",
            "subject": f"s{number // 2:02}",
            "phase": "apex",
        }
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        examples.append({**sample, "sha256": digest, "source": f"d:{number}"})
        for fold in range(1, folds + 1):
            if folds == 1:
                role = ["train", "train", "validation", "test"][number // 2 % 4]
            else:
                ahead = (number // 2 - fold) % folds
                role = {0: "test", 1: "validation"}.get(ahead, "train")
            label = ["dark", "bright"][number % 2]
            known = {"person": f"d/{sample['subject']}", "recording": sample["sample"]}
            split.append({**sample, "label": label, "fold": fold, "split": role, **known})
    (folder / "input").mkdir(exist_ok=True)
    np.save(folder / "input" / "d.npy", arrays)
    tsv.write_rows(examples, folder / "input" / "d.tsv", tsv.EXAMPLES)
    split.sort(key=lambda row: (row["fold"], row["example"]))
    tsv.write_rows(split, folder / "split.tsv", tsv.SPLIT)
    named = list(names) if names else [str(number) for number in range(1, folds + 1)]
    rows = [
        {"fold": number, "name": name, "repeat": None, "lacks": ""}
        for number, name in enumerate(named, 1)
    ]
    tsv.write_rows(rows, folder / "folds.tsv", tsv.FOLDS)
    write_gate(folder)


def write_gate(folder: Path) -> None:
    """Write split.json for the split, folds and examples that lie there now."""
    named = {row["example"] for row in tsv.read_rows(folder / "split.tsv", tsv.SPLIT)}
    examples = [
        row
        for row in tsv.read_rows(folder / "input" / "d.tsv", tsv.EXAMPLES)
        if row["example"] in named
    ]
    gate = Gate(
        classes=CLASSES,
        apart=None,
        input=ARRAYS,
        folds=len(tsv.read_rows(folder / "folds.tsv", tsv.FOLDS)),
        examples=len(examples),
        examples_sha256=gates.examples_digest(examples),
        split_sha256=sha256(folder / "split.tsv"),
        folds_sha256=sha256(folder / "folds.tsv"),
    )
    gates.write(gate, folder / "split.json")


def options(
    results: Path, output: str = "run", recipe: dict[str, Any] = RECIPE, **changes: Any
) -> dict[str, Any]:
    """The keyword arguments of a job on the data of `small_split`, from scratch."""
    folder = results / output
    return {
        "gate": results / "split.json",
        "split": results / "split.tsv",
        "folds": results / "folds.tsv",
        "examples": [results / "input" / "d.tsv"],
        "experiment": "e",
        "model": "small",
        "network": "small",
        "lr": "1e-02",
        "repeat": 1,
        "part": 1,
        "parts": 1,
        "recipe": Recipe.model_validate(recipe),
        "gpu_slots_per_device": 1,
        "checkpoint_every_minutes": 0,
        "allow_missing": False,
        "keep_models": True,
        "checkpoints": results / f"{output}_checkpoints",
        "history": folder / "history.tsv",
        "predictions": folder / "predictions.tsv",
        "metadata": folder / "run.json",
        "models": folder / "models",
        **changes,
    }


def small_run(results: Path, output: str = "run", **changes: Any) -> Path:
    """Train in this process; returns the run's folder."""
    run(**options(results, output, **changes))
    return results / output


def command(results: Path, output: str = "run", **changes: Any) -> list[str]:
    """The command line of a job."""
    words = [sys.executable, str(SCRIPTS / "job.py"), "training.run"]
    for name, value in options(results, output, **changes).items():
        if isinstance(value, Recipe):
            value = json.dumps(value.model_dump(mode="json"))
        words.append(f"--{name.replace('_', '-')}")
        words += map(str, value if isinstance(value, list) else [value])
    return words


def metadata(folder: Path) -> dict[str, Any]:
    """A run's run.json."""
    return dict(json.loads((folder / "run.json").read_text()))


def files(folder: Path) -> dict[str, bytes]:
    """All files of a run but its metadata, which say when and where."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def store() -> JobExamples:
    """The examples in memory, named by their numbers."""
    return JobExamples([str(n) for n in range(COUNT)], pictures(), torch.device("cpu"))


def side(*places: int) -> Subset:
    """Some examples, with their labels."""
    return Subset([str(n) for n in places], [("dark", "bright")[n % 2] for n in places])


def units_of(recipe: Recipe) -> int:
    """How many action units a recipe adds to the network's outputs."""
    return len(recipe.auxiliary.action_units) if recipe.auxiliary else 0


def unit_targets(chosen: Subset, units: int) -> np.ndarray:
    """Targets of action units that follow from the examples' numbers; every fifth is not coded."""
    rows = []
    for number in map(int, chosen.examples):
        coded = number % 5 != 3
        shown = [number % (2 + place) == 0 for place in range(units)]
        rows.append([*(coded and one for one in shown), coded])
    return np.array(rows, np.float32)


def filled(chosen: Subset, capacity: int = COUNT, units: int = 0) -> RoleBuffer:
    """The examples that are fitted on."""
    examples = RoleBuffer(capacity, store(), units)
    examples.fill(store(), chosen, CLASSES, unit_targets(chosen, units))
    return examples


class Interrupting:
    """Progress that stops before a given step, once, and has the state after the last epoch."""

    def __init__(self, at: int) -> None:
        self.steps_left = at
        self.state: dict[str, Any] | None = None

    def stop_if_asked(self) -> None:
        self.steps_left -= 1
        if self.steps_left == -1:
            raise Stopped

    def end_epoch(self, state: dict[str, Any]) -> None:
        self.state = state
