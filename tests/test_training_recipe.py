"""The recipe: its block in the config, optimisers, schedules and augmentations."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training.recipe import Recipe

RED_GREEN_BLUE = ("red", "green", "blue")
FLOW = ("horizontal", "vertical", "strain")


def test_the_defaults_are_the_papers_and_survive_json() -> None:
    assert Recipe().model_dump(mode="json") == {
        "weights": "imagenet",
        "optimiser": {"kind": "sgd", "momentum": 0, "weight_decay": 0},
        "schedule": {"kind": "constant"},
        "augmentations": [],
        "balance": {"kind": "none"},
        "batch_size": 16,
        "accumulation": 1,
        "epochs": 100,
        "tested_epoch": "last",
        "seed": 1,
        "precision": "fp32",
        "threads": 2,
        "deterministic": True,
    }
    other = Recipe(
        weights="/data/my weights/{model}.pt",
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
        ({"augmentations": [{"kind": "shift", "pixels": 0}]}, "pixels"),
        ({"weights": "{modle}.pt"}, "weights"),
        ({"epochs": 0}, "epochs"),
        ({"tested_epoch": "best"}, "tested_epoch"),
        ({"balance": "cap"}, "images"),
        ({"balance": {"kind": "cap", "images": 0}}, "images"),
        ({"balance": {"kind": "oversample", "images": 9}}, "images"),
    ],
)
def test_a_wrong_recipe_is_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe.model_validate(block)


def factors(block: Any, steps: int) -> list[float]:
    settings = Recipe(schedule=block).schedule
    factor = registry.load("schedule", settings.kind).factor
    return [factor(step, steps, settings) for step in range(steps)]


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


@pytest.mark.parametrize(
    ("block", "optimiser", "options"),
    [
        ({"kind": "sgd"}, torch.optim.SGD, {}),
        (
            {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1},
            torch.optim.SGD,
            {"momentum": 0.9, "weight_decay": 0.1},
        ),
        ({"kind": "adamw"}, torch.optim.AdamW, {}),
        (
            {"kind": "adamw", "beta1": 0.8, "beta2": 0.9, "weight_decay": 0.2},
            torch.optim.AdamW,
            {"betas": (0.8, 0.9), "weight_decay": 0.2},
        ),
    ],
)
def test_a_rate_on_the_device_gives_the_bytes_of_a_python_number(
    block: dict[str, Any], optimiser: Callable[..., torch.optim.Optimizer], options: dict[str, Any]
) -> None:
    """PyTorch's own optimiser with a Python number as its rate, step by step."""
    mine, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, 1000)) for _ in range(2))
    rate = torch.tensor(0.01, dtype=torch.float64)
    settings = Recipe(optimiser=block).optimiser
    own = registry.load("optimiser", settings.kind).make([mine], rate, settings)
    reference = optimiser([theirs], 0.01, fused=True, **options)
    generator = torch.Generator().manual_seed(0)
    for number in (0.01, 0.003, 0.1, 1e-5):
        rate.fill_(number)
        reference.param_groups[0]["lr"] = number
        mine.grad = torch.randn(mine.shape, generator=generator)
        theirs.grad = mine.grad.clone()
        before = mine.detach().clone()
        own.step()
        reference.step()
        assert torch.equal(mine, theirs)
        assert not torch.equal(mine, before)


def random_batch(count: int, channels: int = 3) -> torch.Tensor:
    values = torch.rand(count, 6, 6, channels, generator=torch.Generator().manual_seed(0))
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


@pytest.mark.parametrize(("channels", "sign"), [(RED_GREEN_BLUE, 1.0), (FLOW, -1.0)])
def test_half_of_the_examples_are_flipped_and_horizontal_motion_turns_round(
    channels: tuple[str, ...], sign: float
) -> None:
    values = random_batch(400)
    found = augmented(values, channels, "horizontal_flip")
    mirrored = values.flip(3) * torch.tensor([sign, 1, 1]).view(1, 3, 1, 1)
    flipped = (found == mirrored).flatten(1).all(1)
    unchanged = (found == values).flatten(1).all(1)
    assert torch.equal(flipped, ~unchanged)
    assert 160 < flipped.sum() < 240


def test_a_flip_must_know_what_a_channel_becomes_in_a_mirror() -> None:
    stacked = [f"{phase}_{colour}" for phase in ("onset", "apex") for colour in RED_GREEN_BLUE]
    augmented(random_batch(4, 6), stacked, "horizontal_flip")
    with pytest.raises(UserError, match="does not know what the channel 'left' becomes"):
        augmented(random_batch(4), ("left", "vertical", "strain"), "horizontal_flip")


def test_examples_are_shifted_each_by_its_own_distance() -> None:
    values = random_batch(400) + 1
    found = augmented(values, RED_GREEN_BLUE, {"kind": "shift", "pixels": 2})
    padded = torch.nn.functional.pad(values, (2, 2, 2, 2))
    distances = [(down, right) for down in range(5) for right in range(5)]
    matches = torch.stack(
        [
            (found == padded[:, :, down : down + 6, right : right + 6]).flatten(1).all(1)
            for down, right in distances
        ]
    )
    assert (matches.sum(0) == 1).all(), "every example is one of the shifted ones"
    assert matches.any(1).all(), "every distance occurs"
