"""What only a GPU can show: recorded steps do what steps do one by one."""

import warnings
from typing import Any

import pytest
import torch

from fleeting.splits.gate import Arrays
from fleeting.splits.roles import Side
from fleeting.training import devices, generators, replay
from fleeting.training.architecture import architecture
from fleeting.training.data import Examples, Store
from fleeting.training.fit import Epoch, Fitter, prepare
from fleeting.training.interruption import Stopped
from fleeting.training.recipe import Recipe
from small_runs import Interrupting

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

BLOCK: dict[str, Any] = {
    "weights": "none",
    "optimiser": {"kind": "sgd", "momentum": 0.9, "weight_decay": 1e-4},
    "batch_size": 8,
    "epochs": 6,
}
EPOCHS = 6
CLASSES = ("a", "b", "c")
RESNET = architecture("resnet18", ("red", "green", "blue"), (64, 64), pretrained=False)
ARRAYS = Arrays(channels=RESNET.channels, zero=0, unit=255, shape=(64, 64, 3), dtype="uint8")


def store(count: int = 160) -> Store:
    generator = torch.Generator().manual_seed(count)
    arrays = torch.randint(0, 256, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    return Store([str(n) for n in range(count)], arrays.numpy(), torch.device("cuda"))


def side(start: int, count: int) -> Side:
    numbers = range(start, start + count)
    return Side([str(n) for n in numbers], [CLASSES[n % 3] for n in numbers])


def fitter(precision: str, changes: dict[str, Any] | None = None, capacity: int = 130) -> Fitter:
    recipe = Recipe.model_validate(BLOCK | (changes or {}))
    prepare(recipe)
    network = RESNET.build(3).to("cuda", memory_format=torch.channels_last)
    held = store()
    parts = Examples(capacity, held), Examples(30, held)
    return Fitter(network, RESNET, ARRAYS, *parts, 1e-3, recipe, precision)


def fold(
    own: Fitter, training: Side, validation: Side, seed: int = 5, **more: Any
) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    """Fit a fold as a job does; its history and weights."""
    held = store()
    own.training.fill(held, training, CLASSES)
    own.validation.fill(held, validation, CLASSES)
    generators.seed(seed)
    state = more.pop("state", None) or own.start(RESNET.build(3).state_dict(), seed)
    history = own.fit(state, lambda _: None, more.get("keeper"))
    return history, {name: value.clone() for name, value in own.network.state_dict().items()}


def trained(
    precision: str, changes: dict[str, Any] | None = None, **more: Any
) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    """45 examples in batches of 8 leave 5, and 19 leave 3."""
    with replay.own_stream(torch.device("cuda")):
        return fold(fitter(precision, changes), side(0, 45), side(45, 19), **more)


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


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay.Replayed, "__call__", lambda self, batch, record: self.step(batch))


def assert_same(own: tuple[Any, Any], other: tuple[Any, Any]) -> None:
    for epoch, expected in zip(own[0], other[0], strict=True):
        assert epoch.train_loss == pytest.approx(expected.train_loss, rel=1e-5)
        assert epoch.validation_loss == pytest.approx(expected.validation_loss, rel=1e-5)
        assert epoch.train_accuracy == expected.train_accuracy
    for name, value in other[1].items():
        torch.testing.assert_close(own[1][name], value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser": "sgd"},
        {"accumulation": 2},
        {"schedule": {"kind": "cosine", "warmup": 0.3}},
        {"optimiser": "adamw", "schedule": "cosine"},
        {"augmentations": ["horizontal_flip", "shift"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_recorded_steps_are_the_steps(
    precision: str,
    changes: dict[str, Any],
    replays: list[torch.cuda.CUDAGraph],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four sizes of step are recorded after the first epoch."""
    recorded = trained(precision, changes)
    assert len({id(graph) for graph in replays}) == 4
    assert len(replays) == (EPOCHS - 1) * (6 + 3)
    one_by_one(monkeypatch)
    assert_same(recorded, trained(precision, changes))
    assert len(replays) == (EPOCHS - 1) * (6 + 3), "nothing was replayed this time"
    assert {value.dtype for name, value in recorded[1].items() if "tracked" not in name} == {
        torch.float32
    }


@pytest.mark.parametrize("changes", [{}, {"optimiser": "adamw", "schedule": "cosine"}], ids=str)
def test_the_next_fold_replays_what_was_recorded(
    changes: dict[str, Any],
    replays: list[torch.cuda.CUDAGraph],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other examples, as many and more; one size of batch is new, runs once and is recorded."""
    folds = ((side(0, 45), side(45, 19)), (side(30, 45), side(0, 19)), (side(10, 62), side(90, 19)))
    with replay.own_stream(torch.device("cuda")):
        own = fitter("fp32", changes)
        found = [fold(own, *sides, seed=seed) for seed, sides in enumerate(folds)]
    assert len({id(graph) for graph in replays}) == 4 + 1, "62 examples leave 6"
    assert len(replays) == (EPOCHS - 1) * 9 + EPOCHS * 9 + EPOCHS * (8 + 3) - 1
    one_by_one(monkeypatch)
    with replay.own_stream(torch.device("cuda")):
        for seed, sides in enumerate(folds):
            assert_same(found[seed], fold(fitter("fp32", changes), *sides, seed=seed))


def test_kernels_that_are_chosen_by_their_speed_are_recorded_as_well(
    replays: list[torch.cuda.CUDAGraph],
) -> None:
    """Without `deterministic`, cuDNN tries its kernels out, which cannot be recorded."""
    chosen, expected = (trained("fp32", {"deterministic": given})[0] for given in (False, True))
    assert len(replays) == 2 * (EPOCHS - 1) * (6 + 3)
    assert chosen[1].train_loss == pytest.approx(expected[1].train_loss, rel=5e-2)


def test_a_precision_is_what_the_network_multiplies_in() -> None:
    losses = {name: trained(name)[0][0].train_loss for name in ("fp32", "tf32", "bf16")}
    assert len(set(losses.values())) == 3
    assert losses["tf32"] == pytest.approx(losses["fp32"], rel=1e-2)
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=5e-2)


def test_the_same_seed_gives_the_same_bytes_with_deterministic_kernels() -> None:
    first, second = trained("bf16")[1], trained("bf16")[1]
    assert all(torch.equal(first[name], second[name]) for name in first)


def waits(examples: int) -> int:
    """How often Python waits for the device while it fits a fold of so many examples."""
    own, held = fitter("bf16"), store()
    own.training.fill(held, side(0, examples), CLASSES)
    own.validation.fill(held, side(130, 19), CLASSES)
    state = own.start({k: v.clone() for k, v in own.network.state_dict().items()}, 5)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            own.fit(state, lambda _: None)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def test_python_waits_for_the_device_by_the_epoch_and_not_by_the_step() -> None:
    with replay.own_stream(torch.device("cuda")):
        waits(40)  # The first of a process also moves its constants.
        few = waits(40)
        assert few >= EPOCHS, "the sums of every epoch"
        assert waits(120) == few


def test_a_device_is_taken_and_named() -> None:
    taken = devices.take(1)
    assert taken.device.type == "cuda"
    assert taken.slot is not None
    assert taken.name == torch.cuda.get_device_name(0)
    assert torch.ones(3, device=taken.device).sum() == 3
    assert taken.peak_bytes


@pytest.mark.parametrize("changes", [{}, {"optimiser": "adamw", "schedule": "cosine"}], ids=str)
def test_a_fold_resumes_after_its_last_epoch(changes: dict[str, Any]) -> None:
    """Epoch 4 is stopped after two of its nine steps; recording begins anew afterwards."""
    expected, weights = trained("fp32", changes)
    keeper = Interrupting(3 * (6 + 3) + 2)
    with pytest.raises(Stopped):
        trained("fp32", changes, keeper=keeper)
    assert keeper.state is not None
    assert keeper.state["epoch"] == 3
    assert keeper.state["network"]["fc.weight"].is_cuda
    history, resumed = trained("fp32", changes, state=keeper.state)
    for own, other in zip(history, expected, strict=True):
        assert own.train_loss == pytest.approx(other.train_loss, rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(resumed[name], weight, rtol=1e-4, atol=1e-6)
