"""The training job: what is fitted on what, in which order, and what is written."""

import subprocess
import sys
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
from fleeting.training.data import Store
from fleeting.training.fit import Fitter
from fleeting.training.generators import fold_seed
from small_runs import (
    CLASSES,
    NETWORK,
    RECIPE,
    SCRIPTS,
    files,
    pictures,
    record,
    small_run,
    small_split,
    write_gate,
)


def test_a_run_is_recorded_and_tested(results: Path) -> None:
    run = small_run(results)
    history = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    assert [(row["fold"], row["epoch"]) for row in history] == [("1", "1"), ("1", "2")]
    kept = record(run)
    assert kept["classes"] == list(CLASSES)
    assert (kept["folds"], kept["tested_epoch"]) == ([1], {"1": 2})
    assert kept["train_examples"] == {"1": 12}
    assert kept["validation_examples"] == {"1": 6}
    assert kept["test_examples"] == {"1": 4}
    assert kept["seed"] == kept["threads"] == 1
    assert kept["split_sha256"] == sha256(results / "split.json")
    assert kept["settings"]["optimiser"] == {"kind": "sgd", "momentum": 0, "weight_decay": 0}
    assert (kept["failed"], kept["resumed"], kept["weights"]) == (None, [], None)
    state = torch.load(run / "models" / "fold1.pt", weights_only=True)
    assert state.keys() == NETWORK.build(2).state_dict().keys()
    tested = [
        row["example"]
        for row in tsv.read_rows(results / "split.tsv", tsv.SPLIT)
        if row["split"] == "test"
    ]
    found = tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS)
    assert [row["example"] for row in found] == tested
    for row in found:
        assert float(row["p_bright"]) + float(row["p_dark"]) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == max(CLASSES, key=lambda label: float(row[f"p_{label}"]))
    assert not (results / "run_checkpoints").exists()


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
    recipe = {**RECIPE, "optimiser": {"kind": "sgd", "momentum": 0.9}, "augmentations": ["shift"]}
    whole = small_run(tmp_path, "whole", recipe=recipe)
    for parts_count in (2, 5, 7):
        lines: dict[str, list[str]] = {"history.tsv": [], "predictions.tsv": []}
        models = {}
        for part in range(1, parts_count + 1):
            changes = {"recipe": recipe, "part": part, "parts": parts_count}
            run = small_run(tmp_path, f"part{part}of{parts_count}", **changes)
            for name, found in lines.items():
                found += (run / name).read_text().splitlines()[1:]
            models |= {path.name: path.read_bytes() for path in (run / "models").iterdir()}
            assert record(run)["folds"] == list(range(part, 6, parts_count))
        for name, found in lines.items():
            order = sorted(found, key=lambda line: int(line.split("\t")[0]))
            assert order == (whole / name).read_text().splitlines()[1:]
        assert models == {path.name: path.read_bytes() for path in (whole / "models").iterdir()}


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
    tsv.write_rows(
        [row | {"repeat": repeat} for row, repeat in zip(rows, (2, None, 1), strict=True)],
        table,
        tsv.FOLDS,
    )
    write_gate(tmp_path)
    assert record(small_run(tmp_path))["folds"] == [2, 3]
    assert record(small_run(tmp_path, repeat=2))["folds"] == [1, 2]
    empty = small_run(tmp_path, repeat=2, part=3, parts=3)
    assert record(empty)["folds"] == []
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
        assert all(value.numel() <= 4 for value in held), "no other examples"
        assert not any(isinstance(value, Store) for value in vars(self).values())
        return fit(self, *arguments)

    monkeypatch.setattr(Fitter, "fit", examined)
    small_run(tmp_path)
    assert fold == 4


def test_what_a_fold_is_tested_on_changes_nothing_that_is_fitted(tmp_path: Path) -> None:
    """Fewer test examples with other labels: the same history and model."""
    small_split(tmp_path)
    before = files(small_run(tmp_path))
    split = tmp_path / "split.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(split, tsv.SPLIT))
    others = [row for row in rows if row["split"] != "test"]
    tested = [row | {"label": "dark"} for row in rows if row["split"] == "test"]
    tsv.write_rows([*others, *tested[1:]], split, tsv.SPLIT)
    write_gate(tmp_path)
    after = files(small_run(tmp_path))
    assert before["predictions.tsv"] != after["predictions.tsv"]
    for name in ("history.tsv", "models/fold1.pt"):
        assert before[name] == after[name]


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


def test_the_job_imports_little() -> None:
    """Nothing that scores, and nothing that takes long and that it does not need."""
    program = (
        "import sys\n"
        "import fleeting.startup\n"
        "from fleeting.training import run\n"
        "from fleeting.training.recipe import Recipe\n"
        "Recipe(optimiser='adamw', schedule='cosine', augmentations=['shift', 'horizontal_flip'])\n"
        "run.architecture('small', ('red',), (28, 28), False)\n"
        "print(*sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SCRIPTS), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "fleeting.training.fit" in found
    for unwanted in ("pandas", "cv2", "sklearn", "matplotlib", "torchvision"):
        assert unwanted not in found
    assert not [name for name in found if name.startswith("fleeting.evaluation")]


def test_a_recipe_imports_no_torch() -> None:
    """Snakemake checks recipes while it parses."""
    program = (
        "import sys\n"
        "from fleeting.training.recipe import Recipe\n"
        "Recipe(optimiser='adamw', schedule='cosine', augmentations=['shift', 'horizontal_flip'])\n"
        "print(*sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SCRIPTS), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"torch", "pandas", "cv2", "sklearn"} & set(found)


def change_array(results: Path) -> None:
    arrays = np.load(results / "input" / "d.npy")
    arrays[0, 0, 0, 0] += 1
    np.save(results / "input" / "d.npy", arrays)


def change_examples(results: Path) -> None:
    """As if the input had been packed anew from another crop, behind the gate's back."""
    table = results / "input" / "d.tsv"
    rows: list[dict[str, Any]] = list(tsv.read_rows(table, tsv.EXAMPLES))
    rows[0]["sha256"] = "0" * 64
    tsv.write_rows(rows, table, tsv.EXAMPLES)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change_array, "the array of image00 is not the one that was packed"),
        (change_examples, "not those that .*split.json describes"),
        (lambda results: (results / "input" / "d.npy").unlink(), "d.npy: the arrays are missing"),
        (lambda results: (results / "split.json").write_text("{"), "split.json is corrupt"),
        (
            lambda results: (results / "split.tsv").write_text("fold\n"),
            "split.tsv is not the file that .*split.json describes",
        ),
        (
            lambda results: (results / "folds.tsv").unlink(),
            "folds.tsv is missing",
        ),
    ],
)
def test_a_changed_input_is_named(
    results: Path, harm: Callable[[Path], object], message: str
) -> None:
    harm(results)
    with pytest.raises(UserError, match=message):
        small_run(results)
    assert not (results / "run").exists()


def test_a_loss_that_is_not_finite_fails_the_run_and_keeps_its_history(tmp_path: Path) -> None:
    small_split(tmp_path, folds=3)
    run = small_run(tmp_path, lr="9e+30", recipe={**RECIPE, "epochs": 9})
    kept = record(run)
    history = tsv.read_rows(run / "history.tsv", tsv.HISTORY)
    assert {row["fold"] for row in history} == {"1"}, "the folds after it are not trained"
    assert len(history) < 9
    assert kept["failed"].startswith(f"fold 1, epoch {len(history)}: the ")
    assert kept["tested_epoch"] == {}
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
    assert record(run)["failed"] == "fold 2: the outputs for the test examples are not finite"
    assert tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS) == []
    assert (run / "history.tsv").read_text().count("\n") == 1 + 2 * 2


def test_models_are_kept_only_where_asked(results: Path) -> None:
    run = small_run(results, keep_models=False)
    assert list((run / "models").iterdir()) == []
    assert not (small_run(results, "other", keep_models=False, models=None) / "models").exists()
