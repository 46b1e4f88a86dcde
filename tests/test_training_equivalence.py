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

from fleeting.splits.gate import Arrays
from fleeting.splits.roles import Side
from fleeting.training import predict, replay
from fleeting.training.architecture import architecture
from fleeting.training.data import Examples, Store
from fleeting.training.fit import Epoch, Fitter, batches
from fleeting.training.precision import choose
from fleeting.training.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import naive

CLASSES = ["left", "right"]
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_GPU)]
RECIPE = Recipe(weights="none", batch_size=8, epochs=3)
RESNET = architecture("resnet18", ("red", "green", "blue"), (64, 64), pretrained=False)


def pictures(count: int, size: int) -> np.ndarray:
    """Noisy pictures, brighter on one side: left and right in turn."""
    random = np.random.default_rng(0)
    found = []
    for number in range(count):
        shading = np.linspace(60, -60, size) * (-1 if number % 2 else 1)
        picture = 128 + shading[None, :, None] + random.normal(0, 30, (size, size, 3))
        found.append(picture.clip(0, 255).astype(np.uint8))
    return np.stack(found)


def sides(count: int) -> dict[str, Side]:
    """Every fifth picture validates; sorted by label, as ImageFolder has them."""
    order = sorted(range(count), key=lambda number: (number % 2, number))
    roles = {role: [n for n in order if (n % 5 == 4) is (role == "validation")]
             for role in ("train", "validation")}  # fmt: skip
    return {
        role: Side([str(n) for n in numbers], [CLASSES[n % 2] for n in numbers])
        for role, numbers in roles.items()
    }


def parts(count: int, size: int, device: str) -> tuple[Examples, Examples]:
    store = Store([str(n) for n in range(count)], pictures(count, size), torch.device(device))
    found = []
    for side in sides(count).values():
        # Room for more, as where another fold is larger.
        examples = Examples(len(side.examples) + 5, store)
        examples.fill(store, side, CLASSES)
        found.append(examples)
    return found[0], found[1]


def network(seed: int = 5) -> torch.nn.Module:
    torch.manual_seed(seed)
    return RESNET.build(len(CLASSES)).to(memory_format=torch.channels_last)


def train(
    own: torch.nn.Module,
    training: Examples,
    validation: Examples,
    lr: float,
    recipe: Recipe,
    precision: str,
    seed: int,
) -> list[Epoch]:
    size = training.values.shape[-1]
    arrays = Arrays(
        channels=RESNET.channels, zero=0, unit=255, shape=(size, size, 3), dtype="uint8"
    )
    sized = architecture("resnet18", RESNET.channels, (size, size), pretrained=False)
    with replay.own_stream(training.labels.device):
        fitter = Fitter(own, sized, arrays, training, validation, lr, recipe, precision)
        state = fitter.start({k: v.clone() for k, v in own.state_dict().items()}, seed)
        return fitter.fit(state, lambda _: None)


def write(folder: Path, count: int, size: int) -> None:
    """The same pictures in the folders of ImageFolder."""
    arrays = pictures(count, size)
    for role, side in sides(count).items():
        for name, label in zip(side.examples, side.labels, strict=True):
            place = folder / role / label / f"{int(name):03d}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place), arrays[int(name)][..., ::-1])


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
    training, validation = parts(27, 64, device)
    assert training.count % RECIPE.batch_size not in (0, 1)
    own = network().to(device)
    history = train(own, training, validation, lr, RECIPE, "fp32", 7)

    write(tmp_path, 27, 64)
    folders = {part: naive.images(tmp_path / part) for part in ("train", "validation")}
    assert [str(int(Path(path).stem)) for path, _ in folders["train"].samples] == (
        sides(27)["train"].examples
    )
    generator = torch.Generator().manual_seed(7)
    order = [
        batches(torch.randperm(training.count, generator=generator), 8)
        for _ in range(RECIPE.epochs)
    ]

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


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_residual_network_gets_the_bytes_of_commit_1a0c983(momentum: float) -> None:
    """Its trainer, written out: a Python number as the rate, PyTorch's own start of the momentum.

    One seed for everything, images as uint8 with the channels last, one step after the other.
    """
    torch.set_num_threads(2)
    training, validation = parts(27, 64, "cpu")
    recipe = RECIPE.model_copy(
        update={"optimiser": Recipe(optimiser={"kind": "sgd", "momentum": momentum}).optimiser}
    )
    own = network()
    train(own, training, validation, 1e-2, recipe, "fp32", 7)

    reference = network()
    descent = torch.optim.SGD(reference.parameters(), 1e-2, momentum=momentum, fused=True)
    arrays, side = pictures(27, 64), sides(27)["train"]
    pixels = torch.from_numpy(arrays[[int(n) for n in side.examples]]).permute(0, 3, 1, 2)
    labels = torch.tensor([CLASSES.index(label) for label in side.labels])
    mean = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1)
    deviation = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)
    generator = torch.Generator().manual_seed(7)
    for _ in range(recipe.epochs):
        reference.train()
        for batch in batches(torch.randperm(len(labels), generator=generator), 8):
            descent.zero_grad()
            logits = reference((pixels[batch].float() / 255 - mean) / deviation)
            torch.nn.functional.cross_entropy(logits, labels[batch]).backward()
            descent.step()
    expected = reference.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in own.state_dict().items())

    tested = torch.from_numpy(arrays).permute(0, 3, 1, 2)
    declared = Arrays(channels=RESNET.channels, zero=0, unit=255, shape=(64, 64, 3), dtype="uint8")
    found = predict.predict(own, RESNET, tested, declared, 8, "fp32")
    reference.eval()
    with torch.inference_mode():
        wanted = [
            reference((part.float() / 255 - mean) / deviation) for part in torch.split(tested, 8)
        ]
    assert torch.equal(found, torch.cat(wanted))


def moved(training: Examples, precision: str, lr: float) -> dict[str, torch.Tensor]:
    """How far one epoch moves each parameter, and that all of it stays in float32."""
    trained = network().to(training.labels.device)
    before = {name: value.detach().clone() for name, value in trained.named_parameters()}
    train(trained, training, training, lr, RECIPE, precision, 7)
    assert {value.dtype for value in trained.parameters()} == {torch.float32}
    return {name: value.detach() - before[name] for name, value in trained.named_parameters()}


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_moves_the_weights_by_as_much_at_a_small_rate(device: str) -> None:
    """At 1e-05 an update is far below bfloat16's resolution of the weights; it must not vanish."""
    training, _ = parts(30, 32, device)
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
def test_bfloat16_ends_within_the_spread_of_repeats(device: str) -> None:
    """Repeats end nearer to themselves in float32, on average, than the furthest two do."""
    training, validation = parts(30, 32, device)
    optimiser = {"kind": "sgd", "momentum": 0.9}
    recipe = Recipe(weights="none", batch_size=8, epochs=2, optimiser=optimiser)

    def ends(precision: str) -> list[Epoch]:
        networks = ((seed, network(seed=seed).to(device)) for seed in range(4))
        runs = (
            train(own, training, validation, 5e-3, recipe, precision, seed)
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
