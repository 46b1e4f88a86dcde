"""Fitting: its steps are those of a plain loop, and every fold uses the same memory."""

import copy
import os
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from fleeting import registry
from fleeting.training import learning_rate
from fleeting.training.architecture import Architecture
from fleeting.training.batches import batches, micro_batches
from fleeting.training.data import JobExamples, RoleBuffer, scaled
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.precision import configure_torch
from fleeting.training.recipe import Recipe
from small_runs import ARRAYS, NETWORK, RECIPE, filled, side


def fitter(
    network: torch.nn.Module | None = None,
    architecture: Architecture = NETWORK,
    validation: tuple[int, ...] = (10, 11, 12),
    **changes: Any,
) -> Fitter:
    """Ten examples to learn from, in batches of four."""
    torch.manual_seed(5)
    network = network or NETWORK.build(2).to(memory_format=torch.channels_last)
    recipe = Recipe.model_validate(RECIPE | changes)
    buffers = filled(side(*range(10))), filled(side(*validation))
    return Fitter(network, architecture, ARRAYS, *buffers, 0.01, recipe, "fp32", 2)


def weights(own: Fitter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in own.network.state_dict().items()}


def fit(own: Fitter, initial: dict[str, torch.Tensor] | None = None) -> list[Epoch]:
    own.start(initial or weights(own), seed=7)
    return own.fit(lambda _: None)


def test_batches_drop_no_example_and_leave_none_alone() -> None:
    for count in range(1, 60):
        for size in (2, 3, 16):
            found = batches(torch.randperm(count), size)
            assert sorted(torch.cat(found).tolist()) == list(range(count))
            assert all(2 <= len(batch) <= size + 1 for batch in found) or count == 1
        for accumulation in (1, 2, 3, 50):
            cut = micro_batches(torch.arange(count), accumulation)
            assert torch.cat(cut).tolist() == list(range(count))
            assert len(cut) == max(1, min(accumulation, count // 2))
            assert all(len(micro_batch) >= 2 for micro_batch in cut) or count == 1


@pytest.mark.parametrize("shape", [(6, 5, 3), (4, 5, 6, 2)], ids=["picture", "sequence"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "float64"])
def test_the_examples_of_a_fold_replace_those_of_the_last_where_they_lay(
    shape: tuple[int, ...], dtype: str
) -> None:
    arrays = (np.arange(10 * np.prod(shape)) % 100 + 1).reshape(10, *shape).astype(dtype)
    examples = JobExamples([str(n) for n in range(10)], arrays, torch.device("cpu"))
    buffer = RoleBuffer(5, examples)
    addresses = buffer.values.data_ptr(), buffer.labels.data_ptr()
    for chosen in ([3, 4, 8, 0, 1], [7, 2], [5, 6, 9]):
        buffer.fill(examples, side(*chosen), ("bright", "dark"))
        assert (buffer.values.data_ptr(), buffer.labels.data_ptr()) == addresses
        assert buffer.count == len(chosen)
        values = buffer.values[: len(chosen)]
        assert np.array_equal(values.numpy(), np.moveaxis(arrays[chosen], -1, 1))
        assert torch.equal(values, examples.values(side(*chosen)))
        assert buffer.labels[: len(chosen)].tolist() == [1 - n % 2 for n in chosen]
        assert not buffer.values[len(chosen) :].any(), "nothing of the last fold stays"
        assert not buffer.labels[len(chosen) :].any()
    if len(shape) == 3:
        assert buffer.values.is_contiguous(memory_format=torch.channels_last)


def test_stored_values_become_what_the_input_declares() -> None:
    flow = ARRAYS.model_copy(update={"zero": 128, "unit": 127})
    stored = torch.tensor([[1, 128, 255]], dtype=torch.uint8)
    assert scaled(stored, flow).tolist() == [[-1, 0, 1]]


class Heads(torch.nn.Module):
    """Logits and two auxiliary heads in training, logits alone in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 8))
        self.heads = torch.nn.ModuleList(torch.nn.Linear(8, 2) for _ in range(3))

    def forward(self, values: torch.Tensor) -> Any:
        found = tuple(head(self.body(values)) for head in self.heads)
        return found if self.training else found[0]


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_steps_are_those_of_a_plain_loop(accumulation: int) -> None:
    """In the order of the seed, auxiliary heads included, in parts that add up to a batch."""
    torch.manual_seed(2)
    network = Heads()
    reference = copy.deepcopy(network)
    fields = {name: getattr(NETWORK, name) for name in NETWORK.__dataclass_fields__}
    three = Architecture(**{**fields, "aux_weights": (0.3, 0.5)})
    optimiser = {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.01}
    own = fitter(network, three, optimiser=optimiser, accumulation=accumulation)
    history = fit(own)

    values, labels = NETWORK.prepare(own.training.values.float() / 255), own.training.labels
    descent = torch.optim.SGD(reference.parameters(), 0.01, momentum=0.9, weight_decay=0.01)
    order = torch.Generator().manual_seed(7)
    for epoch in history:
        total = 0.0
        for batch in torch.randperm(10, generator=order).split(4):
            descent.zero_grad()
            losses = [cross_entropy(logits, labels[batch]) for logits in reference(values[batch])]
            (losses[0] + 0.3 * losses[1] + 0.5 * losses[2]).backward()
            descent.step()
            total += losses[0].item() * len(batch)
        assert epoch.train_loss == pytest.approx(total / 10, rel=1e-4), "without auxiliary heads"
    reference.eval()
    validation = own.validation
    logits = reference(NETWORK.prepare(validation.values[:3].float() / 255))
    loss = cross_entropy(logits, validation.labels[:3]).item()
    assert history[-1].validation_loss == pytest.approx(loss, rel=1e-4)
    right = (logits.argmax(1) == validation.labels[:3]).float().mean().item()
    assert history[-1].validation_accuracy == pytest.approx(right)
    torch.testing.assert_close(network.state_dict(), reference.state_dict(), rtol=1e-4, atol=1e-6)


def test_validation_changes_nothing() -> None:
    one, other = (fitter(validation=numbers) for numbers in ((10, 11), (12, 14, 15)))
    fit(one), fit(other)
    assert all(torch.equal(value, weights(other)[name]) for name, value in weights(one).items())


def test_the_rate_of_every_step_is_the_schedules() -> None:
    own = fitter(epochs=3, schedule="cosine", warmup=0.3)
    seen = []
    step = own.optimiser.step
    own.optimiser.step = lambda: (seen.append(float(own.lr)), step())  # type: ignore
    fit(own)
    assert seen == [0.01 * learning_rate.factor(step, 9, own.recipe) for step in range(9)]
    assert own.optimiser.param_groups[0]["lr"] is own.lr


@pytest.mark.parametrize("optimiser", ["sgd", {"kind": "sgd", "momentum": 0.9}, "adamw"])
def test_a_fold_starts_again_in_the_same_place(optimiser: Any) -> None:
    """The second fold of a process is what it would have been as the first."""
    own = fitter(optimiser=optimiser, schedule="cosine")
    initial = weights(own)

    def addresses() -> list[int]:
        moments = [value for state in own.optimiser.state.values() for value in state.values()]
        return [value.data_ptr() for value in [*own.network.state_dict().values(), *moments]]

    first = fit(own, initial)
    end, lay = weights(own), addresses()
    assert fit(own, initial) == first
    assert all(torch.equal(value, end[name]) for name, value in weights(own).items())
    assert addresses() == lay


def test_augmentations_change_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    flip = registry.load("augmentation", "horizontal_flip")
    sizes = []
    apply = flip.apply

    def counted(values: torch.Tensor, *rest: Any) -> torch.Tensor:
        sizes.append(len(values))
        assert 0 <= values.min() < values.max() <= 1, "before the network's own normalisation"
        return apply(values, *rest)

    monkeypatch.setattr(flip, "apply", counted)
    plain, flipped = fit(fitter()), fit(fitter(augmentations=["horizontal_flip"]))
    assert sizes == [4, 4, 2] * 2, "the ten training examples of each epoch"
    assert plain != flipped


def test_the_process_is_set_up_as_the_recipe_says() -> None:
    for deterministic in (False, True):
        recipe = Recipe.model_validate({**RECIPE, "threads": 2, "deterministic": deterministic})
        configure_torch(recipe)
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled() is deterministic
        assert torch.backends.cudnn.benchmark is not deterministic
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"]
