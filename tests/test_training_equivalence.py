"""The trainer against the loop that a user would write, and bfloat16 against float32."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat
from fleeting.training import cuda_graphs
from fleeting.training.architecture import architecture
from fleeting.training.batches import batches
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.precision import allow_tf32, choose
from fleeting.training.predict import predict
from fleeting.training.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import naive

CLASSES = ["left", "right"]
COUNT, SIZE = 27, 64
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_GPU)]
RESNET = architecture("resnet18", ("red", "green", "blue"), (SIZE, SIZE), pretrained=False)
ARRAYS = ArrayFormat(
    channels=RESNET.channels, zero=0, unit=255, shape=(SIZE, SIZE, 3), dtype="uint8"
)


def pictures() -> np.ndarray:
    """Noisy pictures, brighter on one side: left and right in turn."""
    random = np.random.default_rng(0)
    found = []
    for number in range(COUNT):
        shading = np.linspace(60, -60, SIZE) * (-1 if number % 2 else 1)
        picture = 128 + shading[None, :, None] + random.normal(0, 30, (SIZE, SIZE, 3))
        found.append(picture.clip(0, 255).astype(np.uint8))
    return np.stack(found)


def subsets() -> dict[str, Subset]:
    """Every fifth picture validates; sorted by label, as ImageFolder has them."""
    order = sorted(range(COUNT), key=lambda number: (number % 2, number))
    validation = [number for number in order if number % 5 == 4]
    training = [number for number in order if number % 5 != 4]
    return {
        role: Subset([str(n) for n in numbers], [CLASSES[n % 2] for n in numbers])
        for role, numbers in (("train", training), ("validation", validation))
    }


def buffers(device: str) -> list[RoleBuffer]:
    examples = JobExamples([str(n) for n in range(COUNT)], pictures(), torch.device(device))
    found = []
    for subset in subsets().values():
        # Room for more, as where another fold is larger.
        buffer = RoleBuffer(len(subset.examples) + 5, examples)
        buffer.fill(examples, subset, CLASSES)
        found.append(buffer)
    return found


def network() -> torch.nn.Module:
    torch.manual_seed(5)
    return RESNET.build(len(CLASSES)).to(memory_format=torch.channels_last)


def train(
    own: torch.nn.Module, lr: float, precision: str = "fp32", momentum: float = 0, epochs: int = 3
) -> list[Epoch]:
    torch.set_num_threads(2)
    optimiser = {"kind": "sgd", "momentum": momentum}
    recipe = Recipe(weights="none", batch_size=8, epochs=epochs, optimiser=optimiser)
    device = next(own.parameters()).device
    with cuda_graphs.own_stream(device):
        examples = buffers(str(device))
        fitter = Fitter(own, RESNET, ARRAYS, *examples, lr, recipe, precision, 2)
        fitter.start({k: v.clone() for k, v in own.state_dict().items()}, 7)
        return fitter.fit(lambda _: None)


@pytest.mark.parametrize("device", DEVICES)
def test_training_and_prediction_are_those_of_the_naive_loop(tmp_path: Path, device: str) -> None:
    """Same order and initial weights, the last batch a smaller one: on the CPU the same bytes."""
    # A GPU's library may choose other kernels for the recorded steps: rounding, which every step
    # enlarges.
    lr, tolerance = (1e-2, 1e-6) if device == "cpu" else (1e-4, 1e-2)
    own, reference = network().to(device), network().to(device)
    history = train(own, lr)

    arrays, generator = pictures(), torch.Generator().manual_seed(7)
    for role, subset in subsets().items():
        for name, label in zip(subset.examples, subset.labels, strict=True):
            path = tmp_path / role / label / f"{int(name):03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), arrays[int(name)][..., ::-1])
    training, validation = (naive.images(tmp_path / role) for role in ("train", "validation"))
    assert len(training) % 8 not in (0, 1)

    class Batches:
        """The trainer's, in another order in every epoch."""

        def __iter__(self) -> Iterator[list[int]]:
            order = torch.randperm(len(training), generator=generator)
            return iter([batch.tolist() for batch in batches(order, 8)])

    validating = DataLoader(validation, 8)
    learning = DataLoader(training, batch_sampler=Batches())  # type: ignore[arg-type]
    expected = naive.train(reference, learning, validating, lr, len(history), torch.device(device))
    for epoch, other in zip(history, expected, strict=True):
        assert epoch.train_loss == pytest.approx(other.train_loss, rel=tolerance)
        assert epoch.validation_loss == pytest.approx(other.validation_loss, rel=tolerance)
    if device == "cpu":
        accuracies = [(epoch.train_accuracy, epoch.validation_accuracy) for epoch in history]
        assert accuracies == [(one.train_accuracy, one.validation_accuracy) for one in expected]
        weights = reference.state_dict()
        assert all(torch.equal(value, weights[name]) for name, value in own.state_dict().items())
        tested = torch.from_numpy(arrays[[int(n) for n in subsets()["validation"].examples]])
        logits = predict(own, RESNET, tested.permute(0, 3, 1, 2), ARRAYS, 8, "fp32")
        probabilities = naive.predict(reference, validating, torch.device(device))
        assert torch.equal(logits.softmax(1), probabilities)


def moved(device: str, precision: str) -> dict[str, torch.Tensor]:
    """How far an epoch at a small rate moves each parameter; all of it stays in float32."""
    trained = network().to(device)
    before = {name: value.detach().clone() for name, value in trained.named_parameters()}
    train(trained, 1e-05, precision, epochs=1)
    assert {value.dtype for value in trained.parameters()} == {torch.float32}
    return {name: value.detach() - before[name] for name, value in trained.named_parameters()}


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_moves_the_weights_by_as_much_at_a_small_rate(device: str) -> None:
    """At 1e-05 an update is far below bfloat16's resolution of the weights; it must not vanish."""
    exact, rounded = moved(device, "fp32"), moved(device, "bf16")

    def dot(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
        return sum(float((one[name] * other[name]).double().sum()) for name in one)

    lengths = [math.sqrt(dot(changes, changes)) for changes in (exact, rounded)]
    assert 0 < lengths[0] != lengths[1], "bfloat16 was used"
    assert lengths[1] == pytest.approx(lengths[0], rel=0.05)
    assert dot(exact, rounded) / (lengths[0] * lengths[1]) > 0.8, "and in the same direction"
    name = "layer4.1.conv2.weight"
    weights = dict(network().to(device).named_parameters())[name]
    in_bfloat16 = (weights + exact[name]).bfloat16() - weights.bfloat16()
    assert in_bfloat16.count_nonzero() < 0.1 * weights.numel(), "what the test guards against"


@pytest.mark.parametrize(
    ("device", "capability", "wanted", "size", "used"),
    [
        ("cpu", True, "fp32", 224, "fp32"),
        ("cpu", False, "bf16", 32, "bf16"),
        ("cpu", True, "tf32", 224, "fp32"),
        ("cpu", True, "auto", 224, "bf16"),
        ("cpu", True, "auto", 96, "fp32"),
        ("cpu", False, "auto", 224, "fp32"),
        ("cuda", (9, 0), "auto", 32, "bf16"),
        ("cuda", (7, 5), "auto", 224, "fp32"),
        ("cuda", (8, 6), "tf32", 224, "tf32"),
        ("cuda", (7, 0), "tf32", 224, "fp32"),
        ("cuda", (9, 0), "fp32", 224, "fp32"),
    ],
)
def test_the_precision_that_is_used(
    device: str,
    capability: object,
    wanted: str,
    size: int,
    used: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`capability` is CUDA's, or whether a CPU has instructions for bfloat16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": capability})
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose(wanted, torch.device(device), size) == used


@pytest.mark.parametrize(("allowed", "used"), [(False, "ieee"), (True, "tf32")])
def test_float32_is_not_left_to_pytorchs_default(allowed: bool, used: str) -> None:
    """By default cuDNN's convolutions use TF32 without being asked to."""
    allow_tf32(allowed)
    assert torch.backends.cudnn.conv.fp32_precision == used
    assert torch.backends.cuda.matmul.fp32_precision == used
