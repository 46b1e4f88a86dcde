"""The trainer against the loop that a user would write, and bfloat16 against float32."""

import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from fleeting import registry, tables
from fleeting.paths import sha256
from fleeting.training import images, packed
from fleeting.training.images import Images
from fleeting.training.pack import pack
from fleeting.training.precision import choose
from fleeting.training.trainer import Epoch, Recipe, batches, train

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import naive

CLASSES = ["left", "right"]
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_GPU)]
RECIPE = Recipe(
    momentum=0.0,
    weight_decay=0.0,
    batch_size=8,
    accumulation=1,
    epochs=3,
    seed=1,
    precision="fp32",
    threads=2,
    deterministic=True,
)


def crops(folder: Path, count: int, size: int) -> Path:
    """Noisy crops, brighter on one side, in the folders of ImageFolder and in a table."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(count):
        label = CLASSES[number % 2]
        split = "validation" if number % 5 == 4 else "train"
        shading = np.linspace(60, -60, size) * (1 if label == "left" else -1)
        picture = 128 + shading[None, :, None] + random.normal(0, 30, (size, size, 3))
        place = folder / split / label / f"{number:03d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), picture.clip(0, 255).astype(np.uint8))
        path = str(place.relative_to(folder))
        names = {"image": f"{label}/{number:03d}", "label": label, "split": split, "path": path}
        rows.append({**names, "sha256": sha256(place)})
    table = folder / "training.tsv"
    tables.write_rows(sorted(rows, key=lambda row: row["path"]), table, tables.IMAGES)
    packed.write(pack(table, folder), table)
    return table


def network(name: str = "resnet18", seed: int = 5) -> torch.nn.Module:
    torch.manual_seed(seed)
    return registry.load("model", name).build(len(CLASSES)).to(memory_format=torch.channels_last)


def parts(table: Path, device: str) -> tuple[Images, Images]:
    found = images.load(table, ("train", "validation"), CLASSES)
    return found["train"].to(torch.device(device)), found["validation"].to(torch.device(device))


@pytest.mark.parametrize(
    ("device", "layout", "lr", "tolerance"),
    [
        # The same arithmetic in the same order.
        ("cpu", torch.channels_last, 1e-2, 1e-6),
        # Sums in another order: rounding, which every step of a fresh network then enlarges.
        ("cpu", torch.contiguous_format, 1e-4, 1e-2),
        # A GPU's library may choose other kernels for the recorded steps.
        pytest.param("cuda", torch.channels_last, 1e-4, 1e-2, marks=NO_GPU),
    ],
)
def test_the_losses_are_those_of_the_naive_loop(
    tmp_path: Path, device: str, layout: torch.memory_format, lr: float, tolerance: float
) -> None:
    """Same order, same initial weights, several epochs; the last batch is a smaller one."""
    torch.set_num_threads(2)
    training, validation = parts(crops(tmp_path, 27, 64), device)
    count = len(training.names)
    assert count % RECIPE.batch_size not in (0, 1)
    own = network().to(device)
    history = train(own, training, validation, lr, RECIPE, "fp32", 7, lambda _: None)

    folders = {part: naive.images(tmp_path / part) for part in ("train", "validation")}
    assert [f"{CLASSES[label]}/{Path(path).stem}" for path, label in folders["train"].samples] == (
        training.names
    )
    generator = torch.Generator().manual_seed(7)
    order = [batches(torch.randperm(count, generator=generator), 8) for _ in range(RECIPE.epochs)]

    class Order:
        """The trainer's batches, an epoch after the other."""

        def __iter__(self) -> Iterator[list[int]]:
            return iter([batch.tolist() for batch in order.pop(0)])

    reference = naive.train(
        network().to(device, memory_format=layout),
        DataLoader(folders["train"], batch_sampler=Order()),  # type: ignore[arg-type]
        DataLoader(folders["validation"], 8),
        lr,
        RECIPE.epochs,
        torch.device(device),
    )
    assert not order
    for epoch, other in zip(history, reference, strict=True):
        assert epoch.train_loss == pytest.approx(other.train_loss, rel=tolerance)
        assert epoch.validation_loss == pytest.approx(other.validation_loss, rel=tolerance)
    assert history[0].train_loss == pytest.approx(reference[0].train_loss, rel=1e-4)


def moved(training: Images, precision: str, lr: float) -> dict[str, torch.Tensor]:
    """How far one epoch moves each parameter, and that all of it stays in float32."""
    trained = network().to(training.labels.device)
    before = {name: value.detach().clone() for name, value in trained.named_parameters()}
    train(trained, training, training, lr, RECIPE, precision, 7, lambda _: None)
    assert {value.dtype for value in trained.parameters()} == {torch.float32}
    return {name: value.detach() - before[name] for name, value in trained.named_parameters()}


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_moves_the_weights_by_as_much_at_a_small_rate(tmp_path: Path, device: str) -> None:
    """At 1e-05 an update is far below bfloat16's resolution of the weights; it must not vanish."""
    training, _ = parts(crops(tmp_path, 30, 32), device)
    exact, rounded = moved(training, "fp32", 1e-05), moved(training, "bf16", 1e-05)

    def length(changes: dict[str, torch.Tensor]) -> float:
        return math.sqrt(sum(float(change.double().square().sum()) for change in changes.values()))

    assert length(exact) > 0
    assert length(rounded) == pytest.approx(length(exact), rel=0.05)
    together = sum(float((exact[name] * rounded[name]).double().sum()) for name in exact)
    assert together / (length(exact) * length(rounded)) > 0.8, "and in the same direction"
    weights = dict(network().to(device).named_parameters())["layer4.1.conv2.weight"]
    in_bfloat16 = (weights + exact["layer4.1.conv2.weight"]).bfloat16() - weights.bfloat16()
    assert in_bfloat16.count_nonzero() < 0.1 * weights.numel(), "what the test guards against"


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_ends_within_the_spread_of_repeats(tmp_path: Path, device: str) -> None:
    """Repeats end nearer to themselves in float32, on average, than the furthest two do."""
    training, validation = parts(crops(tmp_path, 30, 32), device)
    recipe = Recipe(**{**RECIPE.__dict__, "epochs": 2, "momentum": 0.9})

    def ends(precision: str) -> list[Epoch]:
        networks = ((seed, network(seed=seed).to(device)) for seed in range(4))
        runs = (
            train(own, training, validation, 5e-3, recipe, precision, seed, print)
            for seed, own in networks
        )
        return [run[-1] for run in runs]

    exact, rounded = ends("fp32"), ends("bf16")
    for name in ("train_loss", "validation_loss"):
        own, other = ([getattr(end, name) for end in found] for found in (exact, rounded))
        assert own != other, "bfloat16 was used"
        apart = statistics.mean(abs(a - b) for a, b in zip(own, other, strict=True))
        assert apart < max(own) - min(own)


@pytest.mark.parametrize(
    ("wanted", "size", "instructions", "used"),
    [
        ("fp32", 224, True, "fp32"),
        ("bf16", 32, False, "bf16"),
        ("tf32", 224, True, "fp32"),
        ("auto", 224, True, "bf16"),
        ("auto", 96, True, "fp32"),
        ("auto", 224, False, "fp32"),
    ],
)
def test_what_auto_picks_on_a_cpu(
    wanted: str, size: int, instructions: bool, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": instructions})
    assert choose(wanted, torch.device("cpu"), size) == used


@pytest.mark.parametrize(
    ("wanted", "capability", "used"),
    [
        ("auto", (9, 0), "bf16"),
        ("auto", (7, 5), "fp32"),
        ("tf32", (8, 6), "tf32"),
        ("tf32", (7, 0), "fp32"),
        ("fp32", (9, 0), "fp32"),
    ],
)
def test_what_auto_picks_on_a_gpu(
    wanted: str, capability: tuple[int, int], used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose(wanted, torch.device("cuda"), 224) == used


@pytest.mark.parametrize(("precision", "allowed"), [("fp32", "ieee"), ("tf32", "tf32")])
def test_float32_is_not_left_to_pytorchs_default(precision: str, allowed: str) -> None:
    """By default cuDNN's convolutions use TF32 without being asked to."""
    from fleeting.training.precision import set_up

    set_up(precision)
    assert torch.backends.cudnn.conv.fp32_precision == allowed
    assert torch.backends.cuda.matmul.fp32_precision == allowed
