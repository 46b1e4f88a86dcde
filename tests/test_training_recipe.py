"""The recipe: its block in the config, optimisers and schedules."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from fleeting import registry
from fleeting.training import learning_rate
from fleeting.training.recipe import Recipe


def test_the_defaults_are_the_papers_and_survive_json() -> None:
    assert Recipe().model_dump(mode="json") == {
        "weights": "imagenet",
        "freeze": "none",
        "optimiser": {"kind": "sgd", "momentum": 0, "weight_decay": 0, "nesterov": False},
        "schedule": {"kind": "constant"},
        "warmup": 0,
        "augmentations": [],
        "balance": {"kind": "none"},
        "label_smoothing": 0,
        "auxiliary": None,
        "batch_size": 16,
        "accumulation": 1,
        "epochs": 100,
        "early_stopping": None,
        "weight_average": None,
        "tested_epoch": "last",
        "mirrored_test": False,
        "seed": 1,
        "precision": "fp32",
        "threads": 2,
        "deterministic": True,
    }
    other = Recipe(
        weights="/data/my weights/{model}.pt",
        optimiser={"kind": "adamw", "betas": [0.8, 0.9]},
        schedule={"kind": "step", "at": [0.9]},
        warmup=0.1,
        augmentations=["horizontal_flip", {"kind": "shift", "pixels": 3}],
    )
    assert Recipe.model_validate(json.loads(json.dumps(other.model_dump(mode="json")))) == other
    assert other.augmentations[1].pixels == 3
    Recipe.model_json_schema()


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"accumulation": 9}, "9 parts of a batch of 16: a part needs two examples"),
        ({"optimiser": "adamx"}, "do you mean 'adam"),
        ({"optimiser": "lbfgs"}, "no optimiser is called 'lbfgs'"),
        ({"optimiser": {"kind": "adam", "betas": [0.9, 1]}}, "betas"),
        ({"optimiser": {"kind": "sgd", "nesterov": True}}, "nesterov: it needs a momentum"),
        ({"weights": "none", "freeze": "all_but_head"}, "needs pretrained weights"),
        ({"schedule": {"kind": "step", "at": []}}, "at"),
        ({"early_stopping": 0}, "early_stopping"),
        ({"weight_average": 1}, "weight_average"),
        ({"optimiser": {"kind": "sgd", "momentum": 1}}, "momentum"),
        ({"schedule": {"kind": "constant", "warmup": 1}}, "warmup"),
        ({"augmentations": [{"kind": "shift", "pixels": 0}]}, "pixels"),
        ({"weights": "{modle}.pt"}, "weights"),
        ({"epochs": 0}, "epochs"),
        ({"tested_epoch": "best"}, "tested_epoch"),
        ({"balance": "cap"}, "examples"),
        ({"auxiliary": {"action_units": []}}, "list an action unit, or set"),
        ({"auxiliary": {"action_units": [4, 1, 4]}}, "the action unit 4 is listed twice"),
        ({"auxiliary": {"action_units": [0]}}, "action_units.0"),
        ({"auxiliary": {"action_units": [4], "weight": 0}}, "weight"),
        ({"auxiliary": {"weight": 1}}, "action_units"),
        ({"balance": {"kind": "cap", "examples": 0}}, "examples"),
        ({"balance": {"kind": "oversample", "examples": 9}}, "examples"),
    ],
)
def test_a_wrong_recipe_is_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Recipe.model_validate(block)


def factors(block: Any, steps: int, warmup: float = 0) -> list[float]:
    recipe = Recipe(schedule=block, warmup=warmup)
    return [learning_rate.factor(step, steps, recipe) for step in range(steps)]


def test_schedules() -> None:
    assert factors("constant", 5) == [1.0] * 5
    cosine = factors("cosine", 100)
    assert cosine[0] == 1
    assert cosine[50] == pytest.approx(0.5)
    assert 0 < cosine[99] < 0.001
    assert cosine == sorted(cosine, reverse=True)
    fallen = factors({"kind": "step", "at": [0.5, 0.8], "factor": 0.5}, 10)
    assert fallen == [1] * 5 + [0.5] * 3 + [0.25] * 2


def test_one_cycle_is_pytorchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    descent = torch.optim.SGD([parameter], 1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        descent, max_lr=1.0, total_steps=50, cycle_momentum=False
    )
    expected = []
    for _ in range(50):
        expected.append(descent.param_groups[0]["lr"])
        descent.step()
        reference.step()
    assert factors("one_cycle", 50) == pytest.approx(expected)
    assert all(0 < value <= 1 for steps in (1, 2, 3, 4) for value in factors("one_cycle", steps))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "one_cycle"])
def test_the_rate_rises_before_any_schedule(schedule: str) -> None:
    warm = factors(schedule, 100, warmup=0.1)
    assert warm[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert warm[10:] == factors(schedule, 90)
    assert factors("cosine", 1, warmup=0.99) == [0.5]


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
            {"kind": "adamw", "betas": [0.8, 0.9], "weight_decay": 0.2},
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
