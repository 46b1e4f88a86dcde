"""Balancing the training examples of a fold: counts, seeds, and the weights of the loss."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy

from fleeting import tsv
from fleeting.splits.folds import Subset
from fleeting.training.balancing import balanced, class_weights, weighs
from fleeting.training.fit import Fitter
from fleeting.training.recipe import Recipe
from small_runs import (
    ARRAYS,
    CLASSES,
    NETWORK,
    RECIPE,
    files,
    filled,
    metadata,
    side,
    small_run,
    small_split,
    write_gate,
)

#: Two of class a, five of b, three of c.
LABELS = [*"babcbabccb"]
SUBSET = Subset([f"e{number}" for number in range(10)], LABELS)


def settings(block: Any) -> Any:
    return Recipe.model_validate({"balance": block}).balance


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("none", {"a": 2, "b": 5, "c": 3}),
        ({"kind": "cap", "examples": 3}, {"a": 2, "b": 3, "c": 3}),
        ({"kind": "cap", "examples": 9}, {"a": 2, "b": 5, "c": 3}),
        ("smallest_class", {"a": 2, "b": 2, "c": 2}),
        ("oversample", {"a": 5, "b": 5, "c": 5}),
        ("class_weights", {"a": 2, "b": 5, "c": 3}),
    ],
    ids=str,
)
def test_the_examples_of_each_class(block: Any, expected: dict[str, int]) -> None:
    found = balanced(SUBSET, settings(block), seed=1)
    assert Counter(found.labels) == expected
    own = dict(zip(SUBSET.examples, SUBSET.labels, strict=True))
    assert [own[name] for name in found.examples] == found.labels
    assert found.examples == sorted(found.examples), "in the order of the split"
    times = Counter(found.examples)
    for label, number in expected.items():
        of_class = [times[name] for name in SUBSET.examples if own[name] == label]
        assert max(of_class) - min(of_class) <= 1, "each as often as any other of its class"
        assert sum(of_class) == number
    if expected == {"a": 2, "b": 5, "c": 3}:
        assert found == SUBSET


def test_draws_follow_the_seed_and_the_class() -> None:
    cap = settings({"kind": "cap", "examples": 2})
    draws = [balanced(SUBSET, cap, seed) for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert len({tuple(draw.examples) for draw in draws}) > 2
    without = [place for place, label in enumerate(LABELS) if label != "c"]
    others = Subset([SUBSET.examples[n] for n in without], [LABELS[n] for n in without])
    kept = [name for name in draws[0].examples if name in others.examples]
    assert balanced(others, cap, 1).examples == kept, "whatever other classes there are"


def test_class_weights_are_those_of_scikit_learn_and_zero_for_an_absent_class() -> None:
    found = class_weights(SUBSET, ["a", "absent", "b", "c"], settings("class_weights"))
    expected = compute_class_weight("balanced", classes=np.array([*"abc"]), y=LABELS)
    assert found == pytest.approx([expected[0], 0, *expected[1:]])
    # 10 / (3 x 2), 10 / (3 x 5), 10 / (3 x 3)
    assert found == pytest.approx([5 / 3, 0, 2 / 3, 10 / 9])
    assert [weighs(settings(kind)) for kind in ("class_weights", "oversample")] == [True, False]


@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_weighted_step_is_the_mean_of_weighted_losses(accumulation: int) -> None:
    """By hand, with two dark and six bright examples, in parts that add up to a batch."""
    learned, validating = side(0, 2, 1, 3, 5, 7, 9, 11), side(4, 13)
    block = {"balance": "class_weights", "batch_size": 4, "epochs": 2}
    recipe = Recipe.model_validate({**RECIPE, **block, "accumulation": accumulation})
    torch.manual_seed(2)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 2))
    reference = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 2))
    reference.load_state_dict(network.state_dict())
    buffers = filled(learned), filled(validating)
    given = (0.01, recipe, "fp32", len(CLASSES), True)
    fitter = Fitter(network, NETWORK, ARRAYS, *buffers, *given)
    fitter.start(network.state_dict(), seed=7)
    fitter.weigh(class_weights(learned, CLASSES, recipe.balance))
    history = fitter.fit(lambda _: None)

    # bright: 8 / (2 x 6), dark: 8 / (2 x 2)
    weights = torch.tensor([2 / 3, 2.0])
    values, labels = (
        NETWORK.prepare(buffers[0].values[:8].float() / 255),
        buffers[0].labels[:8],
    )
    descent = torch.optim.SGD(reference.parameters(), 0.01)
    order = torch.Generator().manual_seed(7)
    for epoch in history:
        total = 0.0
        for batch in torch.randperm(8, generator=order).split(4):
            descent.zero_grad()
            losses = cross_entropy(reference(values[batch]), labels[batch], reduction="none")
            loss = (losses * weights[labels[batch]]).mean()
            loss.backward()
            descent.step()
            total += loss.item() * len(batch)
        assert epoch.train_loss == pytest.approx(total / 8, rel=1e-4)
    torch.testing.assert_close(network.state_dict(), reference.state_dict(), rtol=1e-4, atol=1e-6)
    logits = reference(NETWORK.prepare(buffers[1].values[:2].float() / 255))
    plain = cross_entropy(logits, buffers[1].labels[:2]).item()
    assert history[-1].validation_loss == pytest.approx(plain, rel=1e-4), "never weighted"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three folds whose training examples are mostly dark."""
    small_split(tmp_path, folds=3)
    table = tmp_path / "split.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.SPLIT))
    bright = [row for row in rows if (row["split"], row["label"]) == ("train", "bright")]
    tsv.write_rows([row for row in rows if row not in bright[::2]], table, tsv.SPLIT)
    write_gate(tmp_path)
    return tmp_path


def recipe(balance: Any) -> dict[str, Any]:
    return {**RECIPE, "balance": balance, "epochs": 1}


def test_a_run_says_what_it_was_fitted_on_and_tests_the_same(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[int, int]] = []
    fit = Fitter.fit

    def counted(self: Fitter, *arguments: Any) -> Any:
        labels = self.training.labels[: self.training.count].tolist()
        fitted.append((labels.count(0), labels.count(1)))
        return fit(self, *arguments)

    monkeypatch.setattr(Fitter, "fit", counted)
    tested, validated = set(), set()
    blocks = (
        "none",
        {"kind": "cap", "examples": 3},
        "smallest_class",
        "oversample",
        "class_weights",
    )
    for number, block in enumerate(blocks):
        fitted.clear()
        run = small_run(results, f"run{number}", recipe=recipe(block))
        found = metadata(run)
        by_class = found["train_examples_by_class"].values()
        assert [(counts["bright"], counts["dark"]) for counts in by_class] == fitted
        assert list(found["train_examples"].values()) == [sum(counts) for counts in fitted]
        for bright, dark in fitted:
            if block in ("smallest_class", "oversample"):
                assert bright == dark
            elif block in ("none", "class_weights"):
                assert bright < dark
            else:
                assert max(bright, dark) == 3
        validated.add(str(found["validation_examples"]))
        rows = tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS)
        tested.add(str([(row["fold"], row["example"]) for row in rows]))
    assert len(tested) == len(validated) == 1


@pytest.mark.parametrize("block", [{"kind": "cap", "examples": 2}, "oversample", "class_weights"])
def test_parts_balance_as_the_whole_does(results: Path, block: Any) -> None:
    whole = small_run(results, "whole", recipe=recipe(block))
    parts = [
        small_run(results, f"part{part}", recipe=recipe(block), part=part, parts=2)
        for part in (1, 2)
    ]
    for name in ("history.tsv", "predictions.tsv"):
        lines = [line for run in parts for line in (run / name).read_text().splitlines()[1:]]
        assert sorted(lines) == sorted((whole / name).read_text().splitlines()[1:])
    plain = small_run(results, "plain", recipe=recipe("none"))
    assert files(plain)["history.tsv"] != files(whole)["history.tsv"]
