"""The training job: what is fitted on what, in which order, and what is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.training import loop
from fleeting.training.data import JobExamples
from fleeting.training.fit import Fitter
from fleeting.training.generators import fold_seed
from small_runs import (
    CLASSES,
    NETWORK,
    RECIPE,
    files,
    metadata,
    pictures,
    small_run,
    small_split,
    write_gate,
)


def test_a_run_is_tested_and_described(results: Path) -> None:
    run = small_run(results)
    history = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    assert [(row["fold"], row["epoch"]) for row in history] == [("1", "1"), ("1", "2")]
    found = metadata(run)
    assert found["classes"] == list(CLASSES)
    assert (found["folds"], found["tested_epoch"]) == ([1], {"1": 2})
    counts = [found[f"{role}_examples"] for role in ("train", "validation", "test")]
    assert counts == [{"1": 12}, {"1": 6}, {"1": 4}]
    assert found["seed"] == found["threads"] == 1
    assert 0 < found["weights_moved"]["1"] < 1
    assert found["precision"] == "fp32"
    assert found["split_sha256"] == sha256(results / "split.json")
    assert found["settings"]["optimiser"]["kind"] == "sgd"
    assert (found["failed"], found["resumed"], found["weights"]) == (None, [], None)
    state = torch.load(run / "models" / "fold1.pt", weights_only=True)
    assert state.keys() == NETWORK.build(2).state_dict().keys()
    split = tsv.read_rows(results / "split.tsv", tsv.SPLIT)
    predictions = tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS)
    tested = [row["example"] for row in split if row["split"] == "test"]
    assert [row["example"] for row in predictions] == tested
    for row in predictions:
        assert float(row["p_bright"]) + float(row["p_dark"]) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == max(CLASSES, key=lambda label: float(row[f"p_{label}"]))
    assert not (results / "run_checkpoints").exists()


def test_how_far_weights_moved() -> None:
    network = torch.nn.Linear(2, 1)
    initial = {"weight": torch.tensor([[3.0, 4.0]]), "bias": torch.tensor([0.0])}
    network.load_state_dict({"weight": torch.tensor([[3.0, 4.0]]), "bias": torch.tensor([0.5])})
    assert loop.moved(network, initial) == pytest.approx(0.1)


def test_the_seed_decides_a_run_whatever_came_before(results: Path) -> None:
    first = files(small_run(results))
    torch.rand(100)
    torch.set_num_threads(2)
    assert files(small_run(results)) == first
    assert files(small_run(results, repeat=2))["history.tsv"] != first["history.tsv"]


def test_a_network_learns_dark_from_bright(results: Path) -> None:
    recipe = {**RECIPE, "epochs": 15, "optimiser": {"kind": "sgd", "momentum": 0.9}}
    run = small_run(results, recipe=recipe)
    history = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    assert float(history[-1]["train_loss"]) < float(history[0]["train_loss"])
    for row in tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS):
        assert row["label"] == row["predicted"]


def test_parts_give_the_bytes_of_the_whole(tmp_path: Path) -> None:
    """Every fold, whichever folds its process trained before it."""
    small_split(tmp_path, folds=5)
    changes = {"recipe": {**RECIPE, "optimiser": "adamw", "augmentations": ["shift"]}}
    whole = small_run(tmp_path, "whole", **changes)
    for parts in (2, 7):
        runs = [
            small_run(tmp_path, f"part{part}of{parts}", **changes, part=part, parts=parts)
            for part in range(1, parts + 1)
        ]
        assert [metadata(run)["folds"] for run in runs] == [
            list(range(part, 6, parts)) for part in range(1, parts + 1)
        ]
        for name in ("history.tsv", "predictions.tsv"):
            lines = [line for run in runs for line in (run / name).read_text().splitlines()[1:]]
            lines.sort(key=lambda line: int(line.split("\t")[0]))
            assert lines == (whole / name).read_text().splitlines()[1:]
        for fold in range(1, 6):
            model = runs[(fold - 1) % parts] / "models" / f"fold{fold}.pt"
            assert model.read_bytes() == (whole / "models" / model.name).read_bytes()


def test_the_seed_follows_the_folds_name() -> None:
    assert fold_seed(1, 1, "1") == 1
    assert fold_seed(5, 3, "1") == 7
    assert fold_seed(1, 2, "sub01") == fold_seed(1, 1, "sub01") + 1
    assert len({fold_seed(1, 1, f"sub{number}") for number in range(1000)}) == 1000
    assert all(fold_seed(2**31 - 1, 10_000, f"{n}") < 2**32 for n in range(1000))


def test_a_fold_follows_its_name_and_not_its_number(tmp_path: Path) -> None:
    for folder, names in (("one", ("1", "a", "b")), ("other", ("1", "b", "a"))):
        (tmp_path / folder).mkdir()
        small_split(tmp_path / folder, folds=3, names=names)
    one, other = (
        (small_run(tmp_path / folder) / "history.tsv").read_text().splitlines()
        for folder in ("one", "other")
    )
    assert one[:3] == other[:3]
    assert one[3:] != other[3:]


def test_a_fold_of_one_repeat_is_left_out_of_the_others(tmp_path: Path) -> None:
    small_split(tmp_path, folds=3)
    table = tmp_path / "folds.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.FOLDS))
    changed = [row | {"repeat": repeat} for row, repeat in zip(rows, (2, None, 1), strict=True)]
    tsv.write_rows(changed, table, tsv.FOLDS)
    write_gate(tmp_path)
    assert metadata(small_run(tmp_path))["folds"] == [2, 3]
    assert metadata(small_run(tmp_path, repeat=2))["folds"] == [1, 2]
    empty = small_run(tmp_path, repeat=2, part=3, parts=3)
    assert metadata(empty)["folds"] == []
    assert (empty / "history.tsv").read_text().count("\n") == 1


def test_test_examples_never_reach_the_fitting_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in its memory, which served other folds before, nor in what it is called with."""
    small_split(tmp_path, folds=4)
    arrays = pictures()
    roles = tsv.read_rows(tmp_path / "split.tsv", tsv.SPLIT)
    fold = 0
    fit = Fitter.fit

    def examined(self: Fitter, *arguments: Any) -> Any:
        nonlocal fold
        fold += 1
        for examples, role in ((self.training, "train"), (self.validation, "validation")):
            own = [row for row in roles if row["fold"] == str(fold) and row["split"] == role]
            places = [int(row["example"].removeprefix("image")) for row in own]
            seen = examples.values.permute(0, 2, 3, 1).numpy()
            assert np.array_equal(seen[: len(places)], arrays[places])
            assert not seen[len(places) :].any()
        held = [value for value in vars(self).values() if isinstance(value, torch.Tensor)]
        # The sums of an epoch: three, and a confusion matrix of two classes.
        assert all(value.numel() <= 3 + 2 * 2 for value in held), "no other examples"
        assert not any(isinstance(value, JobExamples) for value in vars(self).values())
        return fit(self, *arguments)

    monkeypatch.setattr(Fitter, "fit", examined)
    small_run(tmp_path)
    assert fold == 4


def test_what_a_fold_is_tested_on_changes_nothing_that_is_fitted(results: Path) -> None:
    """Fewer test examples with other labels: the same history and model."""
    before = files(small_run(results))
    split = results / "split.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(split, tsv.SPLIT))
    others = [row for row in rows if row["split"] != "test"]
    tested = [row | {"label": "dark"} for row in rows if row["split"] == "test"]
    tsv.write_rows([*others, *tested[1:]], split, tsv.SPLIT)
    write_gate(results)
    after = files(small_run(results))
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"predictions.tsv"}


def test_test_examples_are_predicted_once_after_fitting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_split(tmp_path, folds=3)
    calls = []
    fit, predict = Fitter.fit, loop.predict

    def fits(self: Fitter, *arguments: Any) -> Any:
        calls.append("fit")
        return fit(self, *arguments)

    def predicts(*arguments: Any) -> Any:
        calls.append("predict")
        return predict(*arguments)

    monkeypatch.setattr(Fitter, "fit", fits)
    monkeypatch.setattr(loop, "predict", predicts)
    small_run(tmp_path)
    assert calls == ["fit", "predict"] * 3


def change_array(results: Path) -> None:
    arrays = np.load(results / "input" / "d.npy")
    arrays[0, 0, 0, 0] += 1
    np.save(results / "input" / "d.npy", arrays)


def change_examples(results: Path) -> None:
    """As if the input had been packed again from another crop, behind the gate's back."""
    table = results / "input" / "d.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.EXAMPLES))
    rows[0]["sha256"] = "0" * 64
    tsv.write_rows(rows, table, tsv.EXAMPLES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_array, "the array of image00 is not the one that was packed"),
        (change_examples, "not those that .*split.json describes"),
    ],
)
def test_a_changed_input_is_named(
    results: Path, change: Callable[[Path], object], message: str
) -> None:
    change(results)
    with pytest.raises(UserError, match=message):
        small_run(results)
    assert not (results / "run").exists()


def test_a_loss_that_is_not_finite_fails_the_run_and_keeps_its_history(tmp_path: Path) -> None:
    small_split(tmp_path, folds=3)
    run = small_run(tmp_path, lr="9e+30", recipe={**RECIPE, "epochs": 9})
    found = metadata(run)
    history = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    assert {row["fold"] for row in history} == {"1"}, "the folds after it are not trained"
    assert len(history) < 9
    assert found["failed"].startswith(f"fold 1, epoch {len(history)}: the ")
    assert found["tested_epoch"] == {}
    assert tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS) == []
    assert list((run / "models").iterdir()) == []
    assert not (tmp_path / "run_checkpoints").exists()


def test_outputs_that_are_not_finite_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_split(tmp_path, folds=3)
    predict, calls = loop.predict, []

    def overflows(*arguments: Any) -> torch.Tensor:
        calls.append(None)
        return predict(*arguments) * (torch.inf if len(calls) == 2 else 1)

    monkeypatch.setattr(loop, "predict", overflows)
    run = small_run(tmp_path)
    assert metadata(run)["failed"] == "fold 2: the outputs for the test examples are not finite"
    assert tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS) == []
    assert (run / "history.tsv").read_text().count("\n") == 1 + 2 * 2


def test_models_are_kept_only_where_asked(results: Path) -> None:
    run = small_run(results, keep_models=False)
    assert list((run / "models").iterdir()) == []
