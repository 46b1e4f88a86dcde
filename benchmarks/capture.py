"""How a step is best given to a GPU: kernel by kernel, as a recorded graph, compiled, or both.

And in which layout. Every variant trains the same network on the same random images through the
trainer itself; from the seconds of its epochs follow those of the paper's hundred, with all that is
done once (recording, compiling, choosing kernels) counted. It is why the trainer records graphs and
has the channels last.
"""

import argparse
import statistics
import sys
import time
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import measure
import numpy as np
import torch

from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat
from fleeting.training.architecture import COLOURS, architecture
from fleeting.training.cuda_graphs import RecordedStep, own_stream
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.fit import Fitter
from fleeting.training.precision import configure_torch
from fleeting.training.recipe import Recipe

OUTPUT = Path(__file__).parent / "results" / "gpu_capture.json"
LAYOUTS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}
WAYS = ("step by step", "recorded", "compiled", "compiled and recorded")
#: The paper's.
TRAIN_IMAGES, VALIDATION_IMAGES, EPOCHS = 360, 90, 100
CLASSES = tuple("abcdef")


def examples(count: int, size: int, device: torch.device) -> RoleBuffer:
    """Random ones: their pixels do not change the time."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    names = [str(number) for number in range(count)]
    store = JobExamples(names, pixels, device)
    found = RoleBuffer(count, store)
    found.fill(store, Subset(names, [CLASSES[n % len(CLASSES)] for n in range(count)]), CLASSES)
    return found


def note(ends: list[float]) -> None:
    """The end of an epoch, for which the trainer has waited."""
    ends.append(time.perf_counter())


def variant(
    model: str, precision: str, layout: str, way: str, size: int, epochs: int, device: torch.device
) -> dict[str, Any]:
    """Seconds of one way, or the error that it ended in."""
    recipe = Recipe(weights="none", epochs=epochs, precision=precision)
    configure_torch(recipe)
    torch.manual_seed(1)
    made = architecture(model, COLOURS, (size, size), pretrained=False)
    arrays = ArrayFormat(channels=COLOURS, zero=0, unit=255, shape=(size, size, 3), dtype="uint8")
    network = made.build(len(CLASSES)).to(device).to(memory_format=LAYOUTS[layout])
    if "compiled" in way:
        # For each size of batch by itself, as graphs are recorded, instead of once for all sizes.
        network = torch.compile(network, dynamic=False)
    parts = [examples(count, size, device) for count in (TRAIN_IMAGES, VALIDATION_IMAGES)]
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    ends = [time.perf_counter()]
    named = {"model": model, "size": size, "precision": precision, "layout": layout, "way": way}
    unrecorded = patch.object(
        RecordedStep, "__call__", lambda self, batch, record: self.step(batch)
    )
    try:
        with nullcontext() if "recorded" in way else unrecorded, own_stream(device):
            fitter = Fitter(network, made, arrays, *parts, 1e-4, recipe, precision, len(CLASSES))
            fitter.start(weights, 1)
            fitter.fit(lambda _: note(ends))
    except Exception as error:
        return {**named, "error": str(error).splitlines()[0]}
    taken = [end - start for start, end in zip(ends, ends[1:], strict=False)]
    # The first compiles, the second records.
    one = statistics.median(taken[2:])
    whole = taken[0] + taken[1] + (EPOCHS - 2) * one
    return {**named, "seconds_an_epoch": round(one, 4), "seconds_of_100_epochs": round(whole, 2)}


def main() -> None:
    """Measure every variant, in turn, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["resnet18", "resnet152"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "tf32", "bf16"])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found = []
    for model, precision, layout, way in product(
        arguments.models, arguments.precisions, LAYOUTS, WAYS
    ):
        torch.compiler.reset()
        row = variant(model, precision, layout, way, arguments.size, arguments.epochs, device)
        found.append({**row, "device": device.type})
        print(", ".join(f"{key} {value}" for key, value in found[-1].items()), flush=True)
        measure.write(found, arguments.output)


if __name__ == "__main__":
    main()
