"""Which epoch's weights are tested: the last, or the best on the fold's validation examples."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, f1_score

from fleeting import tsv
from fleeting.training import epochs, loop
from fleeting.training.epochs import Epoch
from fleeting.training.fit import Fitter
from fleeting.training.recipe import Recipe
from small_runs import (
    ARRAYS,
    NETWORK,
    RECIPE,
    Interrupting,
    Stopped,
    files,
    filled,
    metadata,
    side,
    small_run,
    small_split,
)

#: With weights that are best in different epochs of the folds.
BEST: dict[str, Any] = {
    **RECIPE,
    "optimiser": {"kind": "sgd", "momentum": 0.9},
    "augmentations": ["shift"],
    "epochs": 4,
    "tested_epoch": "best_validation",
}
LR = "2e-01"


def history(*values: tuple[float, float]) -> list[Epoch]:
    """Epochs of (validation UF1, validation loss)."""
    return [Epoch(n, 1.0, 0.5, loss, 0.5, uf1) for n, (uf1, loss) in enumerate(values, start=1)]


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([(0.5, 1.0), (0.7, 2.0), (0.6, 0.1)], 2),
        ([(0.7, 1.0), (0.7, 0.9), (0.6, 0.1)], 2),
        ([(0.7, 0.9), (0.7, 0.9), (0.6, 0.1)], 1),
        ([(0.9, float("nan")), (0.2, 1.0), (0.1, 0.5)], 2),
        ([(0.9, float("inf")), (0.9, float("nan"))], 1),
    ],
)
def test_uf1_decides_then_the_loss_then_the_earliest(
    values: list[tuple[float, float]], best: int
) -> None:
    assert epochs.tested(history(*values), "best_validation") == best
    assert epochs.tested(history(*values), "last") == len(values)


def test_a_fold_fails_by_the_epoch_that_it_tests() -> None:
    overflowed = history((0.9, 1.0), (0.5, float("inf")))
    assert epochs.failure(overflowed, "last") == "epoch 2: the validation loss is inf"
    assert epochs.failure(overflowed, "best_validation") is None
    never = history((0.9, float("nan")), (0.5, float("inf")))
    assert epochs.failure(never, "best_validation") == "epoch 1: the validation loss is nan"


def test_uf1_is_scikit_learns_over_the_classes_that_have_examples() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        labels, predicted = random.integers(0, 4, 9), random.integers(0, 5, 9)
        counts = torch.from_numpy(confusion_matrix(labels, predicted, labels=range(5)))
        present = sorted(set(labels))
        expected = f1_score(labels, predicted, labels=present, average="macro", zero_division=0)
        assert epochs.uf1(counts.double()) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(epochs.uf1(torch.zeros(2, 2)))


def fitter(**changes: Any) -> Fitter:
    torch.manual_seed(5)
    recipe = Recipe.model_validate({**BEST, "augmentations": [], "epochs": 8, **changes})
    network = NETWORK.build(2).to(memory_format=torch.channels_last)
    buffers = filled(side(*range(10))), filled(side(10, 11, 12, 15, 17))
    return Fitter(network, NETWORK, ARRAYS, *buffers, 0.2, recipe, "fp32", 2)


def weights(own: Fitter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in own.network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_weights_of_the_best_epoch_are_restored() -> None:
    """Training itself is that of the other setting, and the next fold starts in the same place."""
    own, last = fitter(), fitter(tested_epoch="last")
    initial = weights(own)
    seen: list[dict[str, torch.Tensor]] = []
    own.start(initial, seed=7)
    found = own.fit(lambda _: seen.append(weights(own)))
    best = epochs.tested(found, "best_validation")
    assert 1 < best < 8, "what the test needs"
    assert same(weights(own), seen[best - 1])
    assert not same(weights(own), seen[-1])
    last.start(initial, seed=7)
    assert last.fit(lambda _: None) == found
    assert last.best is None, "no copy without need"
    assert same(weights(last), seen[-1])
    own.start(initial, seed=7)
    assert own.best is None
    assert own.fit(lambda _: None) == found
    assert same(weights(own), seen[best - 1])


@pytest.mark.parametrize("at", range(1, 8 * 5, 4))
def test_a_fold_that_stopped_anywhere_restores_the_same_weights(at: int) -> None:
    """Three steps to learn and two to validate an epoch; before, at and after the best one."""
    whole = fitter()
    initial = weights(whole)
    whole.start(initial, seed=7)
    expected = whole.fit(lambda _: None)
    own, interrupting = fitter(), Interrupting(at)
    own.start(initial, seed=7)
    with pytest.raises(Stopped):
        own.fit(lambda _: None, interrupting)  # type: ignore[arg-type]
    resumed = fitter()
    if interrupting.state:
        resumed.resume(interrupting.state)
    else:
        resumed.start(initial, seed=7)
    assert resumed.fit(lambda _: None) == expected
    assert same(weights(resumed), weights(whole))


def test_a_run_tests_and_keeps_the_best_epoch_of_each_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_split(tmp_path, folds=3)
    moved: list[float] = []
    distance = loop.moved

    def recorded(*arguments: Any) -> float:
        moved.append(distance(*arguments))
        return moved[-1]

    monkeypatch.setattr(loop, "moved", recorded)
    run = small_run(tmp_path, "best", recipe=BEST, lr=LR)
    tested = metadata(run)["tested_epoch"]
    assert len(set(tested.values())) > 1, "what the test needs"
    assert metadata(run)["weights_moved"] == dict(zip(tested, moved, strict=True))
    rows = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    for fold, best in tested.items():
        own = [row for row in rows if row["fold"] == fold]
        assert len(own) == BEST["epochs"], "training does not end earlier"
        ranks = [
            (float(row["validation_uf1"]), -float(row["validation_loss"]), -int(row["epoch"]))
            for row in own
        ]
        assert ranks.index(max(ranks)) + 1 == best
    last = small_run(tmp_path, "last", recipe={**BEST, "tested_epoch": "last"}, lr=LR)
    assert metadata(last)["tested_epoch"] == dict.fromkeys(tested, BEST["epochs"])
    own_files, other = files(run), files(last)
    assert own_files["history.tsv"] == other["history.tsv"]
    for fold, best in tested.items():
        name = f"models/fold{fold}.pt"
        assert (own_files[name] == other[name]) is (best == BEST["epochs"])
    # The model is the one whose predictions are saved.
    early = {fold for fold, best in tested.items() if best < BEST["epochs"]}
    predicted = [
        {
            row["example"]: row["p_dark"]
            for row in tsv.read_rows(folder / "predictions.tsv", tsv.PREDICTIONS)
            if row["fold"] in early
        }
        for folder in (run, last)
    ]
    assert predicted[0] != predicted[1]
