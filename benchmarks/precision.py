"""bfloat16 against float32 on this machine's processor: what `precision: auto` rests on.

Each network trains an epoch of random images through the trainer, in both precisions in turn; the
ratio is of the same round. On a GPU, `training.py` compares precisions.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import measure
import torch
from capture import CLASSES, examples

import fleeting.startup  # noqa: F401
from fleeting.splits.gate import ArrayFormat
from fleeting.training.architecture import COLOURS, architecture
from fleeting.training.fit import Fitter
from fleeting.training.precision import configure_torch
from fleeting.training.recipe import Recipe

OUTPUT = Path(__file__).parent / "results" / "precision.json"
#: ResNets, and three networks of the review.
MODELS = ("resnet18", "resnet50", "vgg11", "mobilenet_v2", "densenet121")
SIZES = (224, 64)
CPU = torch.device("cpu")


def epoch(model: str, size: int, precision: str, images: int) -> Callable[[], float]:
    """A function that fits an epoch of a network and returns its seconds."""
    recipe = Recipe(weights="none", epochs=1, precision=precision)
    configure_torch(recipe)
    torch.manual_seed(1)
    made = architecture(model, COLOURS, (size, size), pretrained=False)
    arrays = ArrayFormat(channels=COLOURS, zero=0, unit=255, shape=(size, size, 3), dtype="uint8")
    network = made.build(len(CLASSES)).to(memory_format=torch.channels_last)
    parts = [examples(count, size, CPU) for count in (images, recipe.batch_size)]
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    fitter = Fitter(network, made, arrays, *parts, 1e-4, recipe, precision, len(CLASSES))

    def seconds() -> float:
        fitter.start(weights, 1)
        start = time.perf_counter()
        fitter.fit(lambda _: None)
        return time.perf_counter() - start

    # The first choose and prepare their kernels.
    seconds()
    return seconds


def main() -> None:
    """Measure every network at every size, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    found = []
    for size in given.sizes:
        for model in given.models:
            variants = {
                precision: epoch(model, size, precision, given.images)
                for precision in ("fp32", "bf16")
            }
            taken = measure.alternate(variants, given.rounds)
            ratio, low, high = measure.ratio(taken["fp32"], taken["bf16"])
            named = {"model": model, "size": size, "batch_size": Recipe().batch_size}
            found.append({**named, "ratio": ratio, "ratio_low": low, "ratio_high": high})
            print(f"{model} at {size}: bfloat16 is {ratio:.2f} ({low:.2f} to {high:.2f}) x as fast")
            measure.write(found, given.output)


if __name__ == "__main__":
    main()
