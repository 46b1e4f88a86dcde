"""Fitting: batches, the order of the examples, and values as the network gets them."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from fleeting.errors import UserError
from fleeting.splits.roles import Side
from fleeting.training import fit as fitting
from fleeting.training.architecture import architecture
from fleeting.training.data import Examples, Store, scaled
from fleeting.training.fit import Fitter, batches, parts
from fleeting.training.recipe import Recipe
from small_runs import (
    ARRAYS,
    CLASSES,
    NETWORK,
    RECIPE,
    filled,
    pictures,
    side,
    store,
)


def test_no_example_is_dropped_from_an_epoch() -> None:
    for count in range(1, 60):
        for size in (2, 3, 16):
            cut = batches(torch.randperm(count), size)
            assert sorted(torch.cat(cut).tolist()) == list(range(count))
            assert all(2 <= len(batch) <= size + 1 for batch in cut) or count == 1


def test_a_batch_is_cut_into_parts_without_a_single_example_alone() -> None:
    for count in range(1, 20):
        for accumulation in (1, 2, 3, 50):
            cut = parts(torch.arange(count), accumulation)
            assert torch.cat(cut).tolist() == list(range(count))
            assert len(cut) == max(1, min(accumulation, count // 2))
            assert all(len(part) >= 2 for part in cut) or count == 1


def test_the_examples_of_a_fold_lie_where_those_of_the_last_fold_lay() -> None:
    examples, held = Examples(5, store()), store()
    places = examples.values.data_ptr(), examples.labels.data_ptr()
    for chosen in ((3, 4, 8, 0, 1), (7, 2), (5, 6, 9)):
        examples.fill(held, side(*chosen), CLASSES)
        assert (examples.values.data_ptr(), examples.labels.data_ptr()) == places
        assert examples.values.is_contiguous(memory_format=torch.channels_last)
        assert examples.count == len(chosen)
        expected = pictures()[list(chosen)]
        assert np.array_equal(examples.values[: len(chosen)].permute(0, 2, 3, 1), expected)
        assert examples.labels[: len(chosen)].tolist() == [1 - n % 2 for n in chosen]
        assert not examples.values[len(chosen) :].any(), "nothing of the fold before stays"
        assert not examples.labels[len(chosen) :].any()


def test_stored_values_become_what_the_input_declares() -> None:
    flow = ARRAYS.model_copy(update={"zero": 128, "unit": 127})
    stored = torch.tensor([[1, 128, 255]], dtype=torch.uint8)
    assert scaled(stored, flow).tolist() == [[-1, 0, 1]]
    red = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    red[:, 0] = 255
    prepared = architecture("resnet18", ARRAYS.channels, (8, 8), False).prepare(scaled(red, ARRAYS))
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    assert prepared[0, :, 0, 0].tolist() == pytest.approx(expected)


def fitted(
    training: Examples, validation: Examples, seed: int = 7, **changes: Any
) -> tuple[list[fitting.Epoch], torch.nn.Module]:
    recipe = Recipe.model_validate(RECIPE | changes)
    torch.manual_seed(5)
    network = NETWORK.build(2).to(memory_format=torch.channels_last)
    fitter = Fitter(network, NETWORK, ARRAYS, training, validation, 0.01, recipe, "fp32")
    state = fitter.start({k: v.clone() for k, v in network.state_dict().items()}, seed)
    return fitter.fit(state, lambda _: None), network


def test_the_order_of_the_examples_is_the_seeds() -> None:
    """The steps are those of a plain loop over the seed's permutations, all examples in each."""
    torch.set_num_threads(1)
    examples = filled(side(*range(10)))
    optimiser = {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.01}
    history, network = fitted(examples, examples, optimiser=optimiser)
    torch.manual_seed(5)
    reference = NETWORK.build(2).to(memory_format=torch.channels_last)
    descent = torch.optim.SGD(reference.parameters(), 0.01, momentum=0.9, weight_decay=0.01)
    order = torch.Generator().manual_seed(7)
    losses = []
    for _ in range(2):
        total = 0.0
        for batch in torch.randperm(10, generator=order).split(4):
            descent.zero_grad()
            outputs = reference(NETWORK.prepare(examples.values[batch].float() / 255))
            loss = cross_entropy(outputs, examples.labels[batch])
            loss.backward()
            descent.step()
            total += loss.item() * len(batch)
        losses.append(total / 10)
    assert [epoch.train_loss for epoch in history] == pytest.approx(losses)
    for own, other in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(own, other)


def test_validation_changes_nothing() -> None:
    training = filled(side(*range(10)))
    one, other = (fitted(training, filled(side(*places)))[1] for places in ((10, 11), (12, 14, 15)))
    states = one.state_dict(), other.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("accumulation", [2, 4])
def test_accumulation_gives_the_update_of_the_whole_batch(
    accumulation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without batch normalisation, which sees a part at a time, the parts add up to the batch."""

    def build(classes: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, classes))

    monkeypatch.setattr(type(NETWORK), "build", lambda self, classes: build(classes))
    examples = filled(side(*range(10)))
    changes = {"batch_size": 8, "epochs": 2}
    whole, one = fitted(examples, examples, **changes)
    cut, other = fitted(examples, examples, **changes, accumulation=accumulation)
    torch.testing.assert_close(other.state_dict(), one.state_dict(), rtol=1e-4, atol=1e-6)
    for epoch, expected in zip(cut, whole, strict=True):
        assert epoch.train_loss == pytest.approx(expected.train_loss, rel=1e-4)


def test_the_thread_count_is_the_recipes() -> None:
    fitting.prepare(Recipe.model_validate({**RECIPE, "threads": 2}))
    assert torch.get_num_threads() == 2


def test_examples_may_have_any_shape_with_their_channels_last() -> None:
    """A sequence (T, H, W, C) reaches the network as (C, T, H, W); pictures keep their layout."""
    arrays = np.arange(3 * 4 * 5 * 6 * 2, dtype=np.int16).reshape(3, 4, 5, 6, 2)
    whole = Store(["a", "b", "c"], arrays, torch.device("cpu"))
    values = whole.values(Side(["c", "a"], ["x", "y"]))
    assert values.shape == (2, 2, 4, 5, 6)
    assert (values[0].numpy() == np.moveaxis(arrays[2], -1, 0)).all()
    room = Examples(3, whole)
    room.fill(whole, Side(["b"], ["y"]), ["x", "y"])
    assert (room.values[:1] == whole.values(Side(["b"], ["y"]))).all()
    pictures = Store(["a"], np.zeros((1, 5, 6, 3), np.uint8), torch.device("cpu"))
    assert pictures.values(Side(["a"], ["x"])).is_contiguous(memory_format=torch.channels_last)


def test_torchvision_is_for_pictures() -> None:
    with pytest.raises(UserError, match=r"resnet18 of torchvision takes pictures.*\(4, 5, 6, 3\)"):
        architecture("resnet18", ["red", "green", "blue"], (4, 5, 6), False)
