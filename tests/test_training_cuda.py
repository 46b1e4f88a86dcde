"""What only a GPU can show: recorded steps do what steps do one by one."""

import warnings
from typing import Any

import pytest
import torch

from fleeting import registry
from fleeting.splits.folds import Subset
from fleeting.splits.gate import ArrayFormat
from fleeting.training import cuda_graphs, devices, generators
from fleeting.training.architecture import architecture
from fleeting.training.checkpoint import State
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.interruption import Stopped
from fleeting.training.precision import configure_torch
from fleeting.training.recipe import Recipe
from recipe_variants import VARIANTS
from small_runs import Interrupting, unit_targets, units_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

EPOCHS = 6
RECIPE: dict[str, Any] = {
    "weights": "none",
    "optimiser": {"kind": "sgd", "momentum": 0.9, "weight_decay": 1e-4},
    "batch_size": 8,
    "epochs": EPOCHS,
}
CLASSES = ("a", "b", "c")
CUDA = torch.device("cuda")
RESNET = architecture("resnet18", ("red", "green", "blue"), (64, 64), pretrained=False)
ARRAYS = ArrayFormat(channels=RESNET.channels, zero=0, unit=255, shape=(64, 64, 3), dtype="uint8")


def examples() -> JobExamples:
    generator = torch.Generator().manual_seed(160)
    arrays = torch.randint(0, 256, (160, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return JobExamples([str(n) for n in range(160)], arrays.numpy(), CUDA)


def subset(start: int, count: int) -> Subset:
    numbers = range(start, start + count)
    return Subset([str(n) for n in numbers], [CLASSES[n % 3] for n in numbers])


#: Training and validation. 45 examples in batches of 8 leave 5, 19 leave 3, 62 leave 6.
FOLDS = (
    (subset(0, 45), subset(45, 19)),
    (subset(30, 45), subset(0, 19)),
    (subset(10, 62), subset(90, 19)),
)


def fitter(precision: str, changes: dict[str, Any]) -> Fitter:
    recipe = Recipe.model_validate(RECIPE | changes)
    configure_torch(recipe)
    units = units_of(recipe)
    network = RESNET.build(3 + units).to("cuda", memory_format=torch.channels_last)
    buffers = RoleBuffer(130, examples(), units), RoleBuffer(30, examples())
    return Fitter(network, RESNET, ARRAYS, *buffers, 1e-3, recipe, precision, 3)


def fit(
    own: Fitter, fold: int, state: State | None = None, progress: Any = None
) -> tuple[list[Epoch], State]:
    """Fit a fold as a job does; its history and weights."""
    units = units_of(own.recipe)
    for buffer, chosen in zip((own.training, own.validation), FOLDS[fold], strict=True):
        buffer.fill(examples(), chosen, CLASSES, unit_targets(chosen, units))
    generators.seed(fold)
    if state:
        own.resume(state)
    else:
        own.start(RESNET.build(3 + units).state_dict(), fold)
    history = own.fit(lambda _: None, progress)
    return history, {name: value.clone() for name, value in own.network.state_dict().items()}


def first_fold(
    precision: str = "fp32", changes: dict[str, Any] | None = None, **more: Any
) -> tuple[list[Epoch], State]:
    with cuda_graphs.own_stream(CUDA):
        return fit(fitter(precision, changes or {}), 0, **more)


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[torch.cuda.CUDAGraph]:
    """The graphs that are replayed from now on, in order."""
    made: list[torch.cuda.CUDAGraph] = []
    replay_one = torch.cuda.CUDAGraph.replay

    def counted(graph: torch.cuda.CUDAGraph) -> None:
        made.append(graph)
        replay_one(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    return made


#: Each way to fit once, as the paper does it in every precision.
CASES = [
    *((precision, {}) for precision in ("fp32", "tf32", "bf16")),
    *(("bf16", changes | {"early_stopping": None}) for changes in VARIANTS.values()),
    ("fp32", {"accumulation": 2}),
]


@pytest.mark.parametrize(("precision", "changes"), CASES, ids=str)
def test_recorded_steps_are_the_steps_in_every_fold(
    precision: str,
    changes: dict[str, Any],
    replays: list[torch.cuda.CUDAGraph],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four sizes of step are recorded after the first epoch, one in the last fold."""
    with cuda_graphs.own_stream(CUDA):
        own = fitter(precision, changes)
        found = [fit(own, fold) for fold in range(3)]
    optimiser = registry.load("optimiser", own.recipe.optimiser.kind)
    if getattr(optimiser, "RECORDABLE", True):
        assert len({id(graph) for graph in replays}) == 4 + 1
        assert len(replays) == (EPOCHS - 1) * 9 + EPOCHS * 9 + EPOCHS * (8 + 3) - 1
    monkeypatch.setattr(
        cuda_graphs.RecordedStep, "__call__", lambda self, batch, record: self.step(batch)
    )
    with cuda_graphs.own_stream(CUDA):
        plain = [fit(fitter(precision, changes), fold) for fold in range(3)]
    for (history, weights), (expected, others) in zip(found, plain, strict=True):
        for epoch, other in zip(history, expected, strict=True):
            assert epoch.train_loss == pytest.approx(other.train_loss, rel=1e-5)
            assert epoch.validation_loss == pytest.approx(other.validation_loss, rel=1e-5)
            assert epoch.train_accuracy == other.train_accuracy
        torch.testing.assert_close(weights, others)
    assert {value.dtype for name, value in weights.items() if "tracked" not in name} == {
        torch.float32
    }


def test_kernels_that_are_chosen_by_their_speed_are_recorded_as_well(
    replays: list[torch.cuda.CUDAGraph],
) -> None:
    """Without `deterministic`, cuDNN tries its kernels out, which cannot be recorded."""
    chosen, expected = (first_fold("fp32", {"deterministic": given})[0] for given in (False, True))
    assert len(replays) == 2 * (EPOCHS - 1) * (6 + 3)
    assert chosen[1].train_loss == pytest.approx(expected[1].train_loss, rel=5e-2)


def test_a_precision_is_what_the_network_multiplies_in() -> None:
    losses = {name: first_fold(name)[0][0].train_loss for name in ("fp32", "tf32", "bf16")}
    assert len(set(losses.values())) == 3
    assert losses["tf32"] == pytest.approx(losses["fp32"], rel=1e-2)
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=5e-2)


def test_the_same_seed_gives_the_same_bytes_with_deterministic_kernels() -> None:
    first, second = first_fold("bf16")[1], first_fold("bf16")[1]
    assert all(torch.equal(first[name], second[name]) for name in first)


def waits(count: int) -> int:
    """How often Python waits for the device while it fits a fold of so many examples."""
    own = fitter("bf16", {})
    own.training.fill(examples(), subset(0, count), CLASSES)
    own.validation.fill(examples(), subset(130, 19), CLASSES)
    own.start({k: v.clone() for k, v in own.network.state_dict().items()}, 5)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            own.fit(lambda _: None)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def test_python_waits_for_the_device_by_the_epoch_and_not_by_the_step() -> None:
    with cuda_graphs.own_stream(CUDA):
        waits(40)  # The first of a process also moves its constants.
        few = waits(40)
        assert few >= EPOCHS, "the sums of every epoch"
        assert waits(120) == few


def test_a_device_is_taken_and_named() -> None:
    taken = devices.acquire(1)
    assert taken.device.type == "cuda"
    assert taken.slot is not None
    assert taken.name == torch.cuda.get_device_name(0)
    assert torch.ones(3, device=taken.device).sum() == 3
    assert taken.peak_bytes


@pytest.mark.parametrize("changes", [{}, {"optimiser": "adamw", "schedule": "cosine"}], ids=str)
def test_a_fold_resumes_after_its_last_epoch(changes: dict[str, Any]) -> None:
    """Epoch 4 is stopped after two of its nine steps; recording starts again afterwards."""
    expected, weights = first_fold("fp32", changes)
    interrupting = Interrupting(3 * (6 + 3) + 2)
    with pytest.raises(Stopped):
        first_fold("fp32", changes, progress=interrupting)
    assert interrupting.state is not None
    assert interrupting.state["epoch"] == 3
    assert interrupting.state["network"]["fc.weight"].is_cuda
    history, resumed = first_fold("fp32", changes, state=interrupting.state)
    for epoch, other in zip(history, expected, strict=True):
        assert epoch.train_loss == pytest.approx(other.train_loss, rel=1e-5)
    torch.testing.assert_close(resumed, weights, rtol=1e-4, atol=1e-6)
