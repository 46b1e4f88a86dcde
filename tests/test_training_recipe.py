"""The recipe: its block in the config, optimisers, schedules, augmentations, auxiliary heads."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training.architecture import Architecture
from fleeting.training.data import Examples, Store
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.recipe import Recipe
from small_runs import ARRAYS, CLASSES, COUNT, NETWORK, RECIPE, filled, pictures, side

RED_GREEN_BLUE = ("red", "green", "blue")


def test_the_defaults_are_the_papers_and_survive_json() -> None:
    recipe = Recipe()
    assert recipe.model_dump(mode="json") == {
        "weights": "imagenet",
        "optimiser": {"kind": "sgd", "momentum": 0, "weight_decay": 0},
        "schedule": {"kind": "constant"},
        "augmentations": [],
        "batch_size": 16,
        "accumulation": 1,
        "epochs": 100,
        "seed": 1,
        "precision": "fp32",
        "threads": 2,
        "deterministic": True,
    }
    other = Recipe(
        optimiser={"kind": "adamw", "beta1": 0.8},
        schedule={"kind": "cosine", "warmup": 0.1},
        augmentations=["horizontal_flip", {"kind": "shift", "pixels": 3}],
    )
    assert Recipe.model_validate(json.loads(json.dumps(other.model_dump(mode="json")))) == other
    assert other.augmentations[1].pixels == 3
    Recipe.model_json_schema()


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"accumulation": 9}, "9 parts of a batch of 16: a part needs two examples"),
        ({"optimiser": "adam"}, "do you mean 'adamw'"),
        ({"optimiser": {"kind": "sgd", "momentum": 1}}, "momentum"),
        ({"schedule": {"kind": "constant", "warmup": 1}}, "warmup"),
        ({"augmentations": "shift"}, "augmentations"),
        ({"augmentations": [{"kind": "shift", "pixels": 0}]}, "pixels"),
        ({"weights": "{modle}.pt"}, "weights"),
        ({"epochs": 0}, "epochs"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
def test_a_wrong_recipe_is_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe.model_validate(block)


def test_weights_may_be_files_named_after_the_model() -> None:
    for weights in ("none", "imagenet", "/data/my weights/{model}.pt"):
        assert Recipe(weights=weights).weights == weights


def factors(block: Any, steps: int) -> list[float]:
    recipe = Recipe(schedule=block)
    module = registry.load("schedule", recipe.schedule.kind)
    return [module.factor(step, steps, recipe.schedule) for step in range(steps)]


def test_schedules() -> None:
    assert factors("constant", 5) == [1.0] * 5
    cosine = factors("cosine", 100)
    assert cosine[0] == 1
    assert cosine[50] == pytest.approx(0.5)
    assert 0 < cosine[99] < 0.001
    assert cosine == sorted(cosine, reverse=True)
    warm = factors({"kind": "cosine", "warmup": 0.1}, 100)
    assert warm[:3] == pytest.approx([1 / 11, 2 / 11, 3 / 11])
    assert warm[9] < warm[10] == 1
    assert warm[10:] == pytest.approx(factors("cosine", 90))
    assert factors({"kind": "cosine", "warmup": 0.99}, 1) == [0.5]


def fitter(recipe: Recipe, lr: float = 0.01, network: torch.nn.Module | None = None) -> Fitter:
    torch.manual_seed(5)
    network = network or NETWORK.build(2).to(memory_format=torch.channels_last)
    parts = filled(side(*range(10))), filled(side(10, 11, 12))
    return Fitter(network, NETWORK, ARRAYS, *parts, lr, recipe, "fp32")


def weights(own: Fitter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in own.network.state_dict().items()}


def fit(own: Fitter) -> list[Epoch]:
    return own.fit(own.start(weights(own), 3), lambda _: None)


def test_the_rate_of_every_step_is_the_schedules() -> None:
    """Ten examples in batches of four: three steps an epoch."""
    block = {"kind": "cosine", "warmup": 0.3}
    own = fitter(Recipe.model_validate({**RECIPE, "epochs": 3, "schedule": block}))
    seen = []
    step = own.optimiser.step
    own.optimiser.step = lambda: (seen.append(float(own.rate)), step())  # type: ignore
    fit(own)
    assert seen == [0.01 * factor for factor in factors(block, 9)]
    assert own.optimiser.param_groups[0]["lr"] is own.rate


@pytest.mark.parametrize("optimiser", ["sgd", {"kind": "sgd", "momentum": 0.9}, "adamw"])
def test_a_schedule_changes_what_is_learned(optimiser: Any) -> None:
    blocks = ("constant", "cosine", {"kind": "cosine", "warmup": 0.5})
    found = []
    for block in blocks:
        own = fitter(Recipe.model_validate({**RECIPE, "optimiser": optimiser, "schedule": block}))
        fit(own)
        found.append(torch.cat([value.flatten() for value in own.network.parameters()]))
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[1], found[2])


@pytest.mark.parametrize(
    ("block", "make"),
    [
        ("sgd", lambda parameters: torch.optim.SGD(parameters, 0.01, fused=True)),
        (
            {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1},
            lambda parameters: torch.optim.SGD(
                parameters, 0.01, momentum=0.9, weight_decay=0.1, fused=True
            ),
        ),
        ("adamw", lambda parameters: torch.optim.AdamW(parameters, 0.01, fused=True)),
        (
            {"kind": "adamw", "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.2},
            lambda parameters: torch.optim.AdamW(
                parameters, 0.01, betas=(0.8, 0.9), weight_decay=0.2, fused=True
            ),
        ),
    ],
)
def test_a_rate_on_the_device_gives_the_bytes_of_a_python_number(
    block: Any, make: Callable[..., torch.optim.Optimizer]
) -> None:
    """PyTorch's own optimiser with a Python number as its rate, step by step."""
    own = fitter(Recipe(optimiser=block))
    other = NETWORK.build(2).to(memory_format=torch.channels_last)
    other.load_state_dict(own.network.state_dict())
    reference = make(other.parameters())
    generator = torch.Generator().manual_seed(0)
    for rate in (0.01, 0.003, 0.1, 1e-5):
        own.rate.fill_(rate)
        reference.param_groups[0]["lr"] = rate
        pairs = zip(own.network.parameters(), other.parameters(), strict=True)
        for mine, theirs in pairs:
            mine.grad = torch.randn(mine.shape, generator=generator)
            theirs.grad = mine.grad.clone()
        own.optimiser.step()
        reference.step()
        for mine, theirs in zip(own.network.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize("optimiser", ["sgd", {"kind": "sgd", "momentum": 0.9}, "adamw"])
def test_a_fold_starts_anew_in_the_same_place(optimiser: Any) -> None:
    """The second fold of a process is what it would have been as the first."""
    recipe = Recipe.model_validate({**RECIPE, "optimiser": optimiser, "schedule": "cosine"})
    own = fitter(recipe)
    initial = weights(own)
    first = own.fit(own.start(initial, 3), lambda _: None)
    end = weights(own)
    moments = [value for state in own.optimiser.state.values() for value in state.values()]
    places = [value.data_ptr() for value in [*own.network.state_dict().values(), *moments]]
    again = own.fit(own.start(initial, 3), lambda _: None)
    assert again == first
    assert all(torch.equal(value, end[name]) for name, value in weights(own).items())
    moments = [value for state in own.optimiser.state.values() for value in state.values()]
    assert places == [value.data_ptr() for value in [*own.network.state_dict().values(), *moments]]


def batch(count: int, channels: int = 3, size: int = 6) -> torch.Tensor:
    values = torch.rand(count, size, size, channels, generator=torch.Generator().manual_seed(0))
    return values.permute(0, 3, 1, 2)


def augmented(values: torch.Tensor, channels: Any, block: Any) -> torch.Tensor:
    chosen = Recipe(augmentations=[block]).augmentations[0]
    torch.manual_seed(1)
    before = values.clone()
    found = registry.load("augmentation", chosen.kind).apply(values, channels, chosen)
    assert torch.equal(values, before), "the batch itself stays"
    assert (found.shape, found.dtype) == (values.shape, values.dtype)
    assert found.is_contiguous(memory_format=torch.channels_last)
    return found


def test_about_half_of_the_examples_are_flipped() -> None:
    values = batch(400)
    found = augmented(values, RED_GREEN_BLUE, "horizontal_flip")
    flipped = [torch.equal(own, old.flip(2)) for own, old in zip(found, values, strict=True)]
    kept = [torch.equal(own, old) for own, old in zip(found, values, strict=True)]
    assert all(one != other for one, other in zip(flipped, kept, strict=True))
    assert 160 < sum(flipped) < 240


def test_a_flip_turns_horizontal_motion_round() -> None:
    values = batch(40)
    found = augmented(values, ("horizontal", "vertical", "strain"), "horizontal_flip")
    mirrored = values.flip(3) * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1)
    for own, old, mirror in zip(found, values, mirrored, strict=True):
        assert torch.equal(own, old) or torch.equal(own, mirror)
    stacked = ("onset_red", "onset_green", "onset_blue", "apex_red", "apex_green", "apex_blue")
    augmented(batch(4, 6), stacked, "horizontal_flip")
    with pytest.raises(UserError, match="does not know what the channel 'left' becomes"):
        augmented(batch(4), ("left", "vertical", "strain"), "horizontal_flip")


def test_examples_are_shifted_each_by_its_own_distance() -> None:
    values = batch(400) + 1
    found = augmented(values, RED_GREEN_BLUE, {"kind": "shift", "pixels": 2})
    padded = torch.nn.functional.pad(values, (2, 2, 2, 2))
    seen = []
    for own, old in zip(found, padded, strict=True):
        places = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if torch.equal(own, old[:, down : down + 6, right : right + 6])
        ]
        assert len(places) == 1
        seen += places
    assert len(set(seen)) == 25


def test_augmentations_change_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    flip = registry.load("augmentation", "horizontal_flip")
    sizes = []
    apply = flip.apply

    def counted(values: torch.Tensor, *rest: Any) -> torch.Tensor:
        sizes.append(len(values))
        assert values.max() <= 1, "before the network's own normalisation"
        return apply(values, *rest)

    monkeypatch.setattr(flip, "apply", counted)
    plain = fit(fitter(Recipe.model_validate(RECIPE)))
    flipped = fit(fitter(Recipe.model_validate({**RECIPE, "augmentations": ["horizontal_flip"]})))
    assert sizes == [4, 4, 2] * 2, "the ten training examples of each epoch"
    assert plain != flipped


class Heads(torch.nn.Module):
    """Logits and two auxiliary heads in training, logits alone in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 8))
        self.heads = torch.nn.ModuleList(torch.nn.Linear(8, 2) for _ in range(3))

    def forward(self, values: torch.Tensor) -> Any:
        found = tuple(head(self.body(values)) for head in self.heads)
        return found if self.training else found[0]


def test_auxiliary_heads_are_trained_with_their_weights() -> None:
    torch.manual_seed(2)
    network, reference = Heads(), Heads()
    reference.load_state_dict(network.state_dict())
    three = Architecture(
        **{**{name: getattr(NETWORK, name) for name in NETWORK.__dataclass_fields__},
           "aux_weights": (0.3, 0.5)}
    )  # fmt: skip
    recipe = Recipe.model_validate({**RECIPE, "batch_size": 16, "epochs": 1})
    examples = filled(side(*range(10)), capacity=10)
    own = Fitter(network, three, ARRAYS, examples, examples, 0.01, recipe, "fp32")
    history = fit(own)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(3))
    values = three.prepare(examples.values[order].float() / 255)
    labels = examples.labels[order]
    losses = [cross_entropy(logits, labels) for logits in reference(values)]
    (losses[0] + 0.3 * losses[1] + 0.5 * losses[2]).backward()
    torch.optim.SGD(reference.parameters(), 0.01).step()
    for mine, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert history[0].train_loss == pytest.approx(losses[0].item()), "comparable with validation"


def test_a_store_keeps_any_kind_of_number() -> None:
    """Signed bytes and floats as well as pictures."""
    for kind in ("int8", "int16", "float32", "float64", "uint8"):
        arrays = (pictures() // 2).astype(kind)
        held = Store([str(n) for n in range(COUNT)], arrays, torch.device("cpu"))
        examples = Examples(4, held)
        examples.fill(held, side(3, 1), CLASSES)
        assert examples.values[0].float().permute(1, 2, 0).tolist() == arrays[3].tolist()
