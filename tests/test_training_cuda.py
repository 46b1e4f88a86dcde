"""What only a GPU can show: recorded steps do what steps do one by one."""

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import registry
from fleeting.training import devices, replay
from fleeting.training.images import Images
from fleeting.training.trainer import Epoch, Recipe, Stopped, prepare, train
from small_runs import Interrupting

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

RECIPE = Recipe(
    momentum=0.9,
    weight_decay=1e-4,
    batch_size=8,
    accumulation=1,
    epochs=6,
    seed=1,
    precision="fp32",
    threads=2,
    deterministic=True,
)


def part(count: int) -> Images:
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (count, 64, 64, 3), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 3, (count,), generator=generator)
    names = [str(number) for number in range(count)]
    return Images(names, pixels.permute(0, 3, 1, 2), labels).to(torch.device("cuda"))


def count_replays(monkeypatch: pytest.MonkeyPatch) -> list[torch.cuda.CUDAGraph]:
    """The graphs that are replayed from now on, in order."""
    made: list[torch.cuda.CUDAGraph] = []
    replay_one = torch.cuda.CUDAGraph.replay

    def counted(graph: torch.cuda.CUDAGraph) -> None:
        made.append(graph)
        replay_one(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    return made


def trained(
    precision: str, changes: dict[str, Any] | None = None, **more: Any
) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    recipe = dataclasses.replace(RECIPE, **(changes or {}))
    prepare(recipe, 1)
    network = registry.load("model", "resnet18").build(3)
    network.to("cuda", memory_format=torch.channels_last)
    arguments = (part(45), part(19), 1e-3, recipe, precision, 5, lambda _: None)
    history = train(network, *arguments, **more)
    return history, network.state_dict()


@pytest.mark.parametrize("changes", [{}, {"momentum": 0.0}, {"accumulation": 2}], ids=str)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_recorded_steps_are_the_steps(
    precision: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """45 images in batches of 8 leave 5, and 19 leave 3: four sizes of step are recorded."""
    made = count_replays(monkeypatch)
    recorded, weights = trained(precision, changes)
    assert len({id(graph) for graph in made}) == 4
    assert len(made) == (RECIPE.epochs - 1) * (6 + 3)
    monkeypatch.setattr(replay.Replayed, "__call__", lambda self, batch, record: self.step(batch))
    one_by_one, expected = trained(precision, changes)
    assert len(made) == (RECIPE.epochs - 1) * (6 + 3), "nothing was replayed this time"
    for own, other in zip(recorded, one_by_one, strict=True):
        assert own.train_loss == pytest.approx(other.train_loss, rel=1e-5)
        assert own.validation_loss == pytest.approx(other.validation_loss, rel=1e-5)
        assert own.train_accuracy == other.train_accuracy
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value)
    assert {value.dtype for name, value in weights.items() if "tracked" not in name} == {
        torch.float32
    }


def test_kernels_that_are_chosen_by_their_speed_are_recorded_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without `deterministic`, cuDNN tries its kernels out, which cannot be recorded."""
    made = count_replays(monkeypatch)
    chosen, expected = (trained("fp32", {"deterministic": given})[0] for given in (False, True))
    assert len(made) == 2 * (RECIPE.epochs - 1) * (6 + 3)
    assert chosen[1].train_loss == pytest.approx(expected[1].train_loss, rel=5e-2)


def test_a_precision_is_what_the_network_multiplies_in() -> None:
    losses = {name: trained(name)[0][0].train_loss for name in ("fp32", "tf32", "bf16")}
    assert len(set(losses.values())) == 3
    assert losses["tf32"] == pytest.approx(losses["fp32"], rel=1e-2)
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=5e-2)


def test_the_same_seed_gives_the_same_bytes_with_deterministic_kernels() -> None:
    first, second = trained("bf16")[1], trained("bf16")[1]
    assert all(torch.equal(first[name], second[name]) for name in first)


def waits(images: int) -> int:
    """How often Python waits for the device while it trains on so many images."""
    torch.manual_seed(3)
    network = registry.load("model", "resnet18").build(3)
    network.to("cuda", memory_format=torch.channels_last)
    training, validation = part(images), part(19)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(network, training, validation, 1e-3, RECIPE, "bf16", 5, lambda _: None)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def test_python_waits_for_the_device_by_the_epoch_and_not_by_the_step() -> None:
    waits(40)  # The first of a process also moves its constants.
    few = waits(40)
    assert few >= RECIPE.epochs, "the sums of every epoch"
    assert waits(120) == few


def test_a_place_is_on_a_device_and_named() -> None:
    place = devices.take(1)
    assert place.device.type == "cuda"
    assert place.slot is not None
    assert place.name == torch.cuda.get_device_name(0)
    assert torch.ones(3, device=place.device).sum() == 3
    assert place.peak_bytes


def test_a_run_goes_on_from_the_middle_of_an_epoch(tmp_path: Path) -> None:
    """Epoch 4 is stopped after two of its nine steps; recording begins anew afterwards."""
    expected, weights = trained("fp32")
    keeper = Interrupting(3 * (6 + 3) + 2, tmp_path)
    with pytest.raises(Stopped):
        trained("fp32", keeper=keeper)
    state = keeper.checkpoints.load()
    assert state is not None
    assert (state["epoch"], state["step"]) == (3, 2)
    history, resumed = trained("fp32", state=state)
    for own, other in zip(history, expected, strict=True):
        assert own.train_loss == pytest.approx(other.train_loss, rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(resumed[name], weight, rtol=1e-4, atol=1e-6)
