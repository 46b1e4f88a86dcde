"""Action units learnt beside the classes: their loss, and that all else is about the classes."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from fleeting.splits.folds import Subset
from fleeting.training.architecture import Architecture, architecture
from fleeting.training.augment import Augmentation
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.freezing import freeze
from fleeting.training.loss import action_unit_loss, training_losses
from fleeting.training.predict import predict
from fleeting.training.recipe import Recipe
from small_runs import ARRAYS, NETWORK, RECIPE, filled, side, store, unit_targets

AUXILIARY = {"auxiliary": {"action_units": [4, 12, 17], "weight": 0.7}}


def plain_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sum over coded examples of each unit's cross entropy, over all examples and units."""
    total = torch.zeros(())
    for own, (*shown, coded) in zip(logits, targets, strict=True):
        if coded:
            for logit, one in zip(own, shown, strict=True):
                total = total + binary_cross_entropy_with_logits(logit, one)
    return total / logits.numel()


def test_the_masked_loss_and_its_gradient_are_those_of_a_plain_transcription() -> None:
    torch.manual_seed(0)
    targets = torch.from_numpy(unit_targets(side(*range(9)), 3))
    assert 0 < targets[:, -1].sum() < 9, "some are coded and some are not"
    logits = torch.tensor([[30.0, -30.0, 0.0]]).repeat(9, 1) * torch.rand(9, 3)
    one, other = (logits.clone().requires_grad_() for _ in range(2))
    found, expected = action_unit_loss(one, targets), plain_loss(other, targets)
    torch.testing.assert_close(found, expected)
    found.backward(), expected.backward()
    assert one.grad is not None
    torch.testing.assert_close(one.grad, other.grad)
    assert not one.grad[targets[:, -1] == 0].any()
    assert one.grad[targets[:, -1] == 1].all()


def test_the_loss_of_a_mixture_is_the_mixture_of_the_losses() -> None:
    """Also of an example that was coded with one that was not."""
    torch.manual_seed(0)
    targets = torch.from_numpy(unit_targets(side(*range(9)), 3))
    logits, share = torch.randn(9, 3), 0.3
    others = targets.roll(1, 0)
    found = action_unit_loss(logits, share * targets + (1 - share) * others)
    parts = [plain_loss(logits, each) for each in (targets, others)]
    torch.testing.assert_close(found, share * parts[0] + (1 - share) * parts[1])


def test_mixup_gives_classes_and_units_one_share() -> None:
    targets = torch.from_numpy(unit_targets(side(*range(8)), 3))
    torch.manual_seed(0)
    values, labels = torch.rand(8, 3, 4, 4), torch.arange(8) % 2
    mixes = Augmentation(Recipe(augmentations=["mixup"]).augmentations, ARRAYS.channels, 2)

    def drawn(units: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        torch.manual_seed(3)
        return mixes(values, labels, units)

    mixed, classes, units = drawn(targets)
    alone = drawn(None)
    assert torch.equal(mixed, alone[0]), "the same draws as without units"
    assert torch.equal(classes, alone[1])
    assert alone[2] is None
    # The share of each example in its pixels; the rest is the one before it.
    before = values.roll(1, 0)
    share = ((mixed - before) * (values - before)).flatten(1).sum(1, keepdim=True)
    share /= (values - before).square().flatten(1).sum(1, keepdim=True)
    assert units is not None
    torch.testing.assert_close(units, targets * share + targets.roll(1, 0) * (1 - share))


def test_class_weights_and_smoothed_labels_are_of_the_classes_alone() -> None:
    torch.manual_seed(0)
    outputs, labels = torch.randn(6, 5), torch.arange(6) % 2
    targets = torch.from_numpy(unit_targets(side(*range(6)), 3))
    weights = torch.tensor([0.5, 2.0])
    recipe = Recipe.model_validate({**AUXILIARY, "label_smoothing": 0.1})
    whole, of_classes = training_losses(outputs, labels, targets, weights, recipe)
    each = cross_entropy(outputs[:, :2], labels, weights, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(of_classes, each.mean())
    torch.testing.assert_close(whole, each.mean() + 0.7 * plain_loss(outputs[:, 2:], targets))


class Heads(torch.nn.Module):
    """Outputs and one auxiliary head's in training, outputs alone in evaluation."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 8))
        self.heads = torch.nn.ModuleList(torch.nn.Linear(8, outputs) for _ in range(2))

    def forward(self, values: torch.Tensor) -> Any:
        found = tuple(head(self.body(values)) for head in self.heads)
        return found if self.training else found[0]


def fitted(
    network: torch.nn.Module, lr: float, made: Architecture = NETWORK, **changes: Any
) -> list[Epoch]:
    """Fit ten examples, the same whether or not units are learnt."""
    recipe = Recipe.model_validate(RECIPE | changes)
    units = 3 if recipe.auxiliary else 0
    buffers = filled(side(*range(10)), units=units), filled(side(10, 11, 12))
    own = Fitter(network, made, ARRAYS, *buffers, lr, recipe, "fp32", 2)
    torch.manual_seed(1)
    own.start({name: value.clone() for name, value in network.state_dict().items()}, 7)
    return own.fit(lambda _: None)


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_steps_are_those_of_a_plain_loop(accumulation: int) -> None:
    """An auxiliary head learns the units as well, and parts add up to a batch."""
    torch.manual_seed(2)
    network, reference = Heads(5), Heads(5)
    reference.load_state_dict(network.state_dict())
    fields = {name: getattr(NETWORK, name) for name in NETWORK.__dataclass_fields__}
    made = Architecture(**{**fields, "aux_weights": (0.3,)})
    history = fitted(network, 0.01, made, **AUXILIARY, accumulation=accumulation)

    data = filled(side(*range(10)), units=3)
    assert data.units is not None
    values = NETWORK.prepare(data.values.float() / 255)
    descent = torch.optim.SGD(reference.parameters(), 0.01)
    order = torch.Generator().manual_seed(7)
    for epoch in history:
        total = 0.0
        for batch in torch.randperm(10, generator=order).split(4):
            descent.zero_grad()
            losses = []
            for outputs in reference(values[batch]):
                losses += [cross_entropy(outputs[:, :2], data.labels[batch])]
                losses += [plain_loss(outputs[:, 2:], data.units[batch])]
            (losses[0] + 0.7 * losses[1] + 0.3 * (losses[2] + 0.7 * losses[3])).backward()
            descent.step()
            total += losses[0].item() * len(batch)
        assert epoch.train_loss == pytest.approx(total / 10, rel=1e-4), "of the classes alone"
    torch.testing.assert_close(network.state_dict(), reference.state_dict(), rtol=1e-4, atol=1e-6)


def test_the_history_is_that_of_the_outputs_of_the_classes() -> None:
    """At a rate of nearly zero: that of a network without the other outputs."""
    torch.manual_seed(5)
    network, plain = NETWORK.build(5), NETWORK.build(2)
    state = network.state_dict()
    heads = {name: value[:2] for name, value in state.items() if name.startswith("head.")}
    plain.load_state_dict(state | heads)
    found, expected = fitted(network, 1e-20, **AUXILIARY), fitted(plain, 1e-20)
    for epoch, other in zip(found, expected, strict=True):
        assert vars(epoch) == pytest.approx(vars(other), rel=1e-6)


@pytest.mark.parametrize("network", ["two_layer", "small"])
def test_units_are_learnt_where_the_class_is_hardly_visible(network: str) -> None:
    """On examples that were not fitted on, the loss of the units falls far below that of guessing.

    Unit 4 lights the upper left, unit 12 the lower right; a class is a little lighter.
    """
    random = np.random.default_rng(0)
    shown = random.integers(0, 2, (120, 2))
    labels = random.integers(0, 2, 120)
    pictures = random.normal(100, 20, (120, 32, 32, 3)) + labels[:, None, None, None]
    pictures[:, 4:10, 4:10] += 40 * shown[:, 0, None, None, None]
    pictures[:, 20:26, 20:26] += 40 * shown[:, 1, None, None, None]
    names = [str(number) for number in range(120)]
    examples = JobExamples(names, pictures.clip(0, 255).astype(np.uint8), torch.device("cpu"))
    coded = np.arange(120) % 4 > 0
    targets = np.column_stack([shown * coded[:, None], coded]).astype(np.float32)
    learnt = Subset(names[:80], [("dark", "bright")[label] for label in labels[:80]])
    training, validation = RoleBuffer(80, examples, 2), RoleBuffer(40, examples)
    training.fill(examples, learnt, ("bright", "dark"), targets[:80])
    others = Subset(names[80:], [("dark", "bright")[label] for label in labels[80:]])
    validation.fill(examples, others, ("bright", "dark"))
    block = {"auxiliary": {"action_units": [4, 12]}, "optimiser": "adamw", "epochs": 20}
    made = architecture(network, ARRAYS.channels, (32, 32), False)
    torch.manual_seed(0)
    built = made.build(4)
    buffers = ARRAYS, training, validation
    recipe = Recipe.model_validate({**RECIPE, **block, "batch_size": 16})
    own = Fitter(built, made, *buffers, 0.005, recipe, "fp32", 2)
    own.start({name: value.clone() for name, value in built.state_dict().items()}, 1)

    def loss() -> float:
        outputs = predict(built, made, examples.values(others), ARRAYS, 16, "fp32")
        whole = np.column_stack([shown[80:], np.ones(40)]).astype(np.float32)
        return float(action_unit_loss(outputs[:, 2:], torch.from_numpy(whole)))

    before = loss()
    own.fit(lambda _: None)
    assert before > 0.6
    assert loss() < 0.2


def test_a_fold_keeps_no_targets_of_the_last_one() -> None:
    buffer = RoleBuffer(5, store(), 3)
    assert buffer.units is not None
    place = buffer.units.data_ptr()
    for chosen in (side(3, 4, 8, 0, 1), side(7, 2), side(5, 6, 9)):
        targets = unit_targets(chosen, 3)
        buffer.fill(store(), chosen, ("bright", "dark"), targets)
        assert buffer.units.data_ptr() == place
        assert np.array_equal(buffer.units[: len(targets)].numpy(), targets)
        assert not buffer.units[len(targets) :].any()


def test_frozen_layers_leave_all_outputs_to_be_trained() -> None:
    network = NETWORK.build(5)
    freeze(network, NETWORK.heads, "all_but_head")
    trained = {name: one.shape[0] for name, one in network.named_parameters() if one.requires_grad}
    assert trained == {"head.weight": 5, "head.bias": 5}
