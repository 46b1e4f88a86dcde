"""Runs that failed: named, in no mean, and every mean says how many repeats it has."""

from itertools import product
from math import nan

import pandas as pd
import pytest

from fabricated_runs import (
    LABELS,
    ONE_WRONG,
    experiment_folder,
    make_table,
    summarise,
    write_run,
    write_split,
)
from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import retain_models
from fleeting.evaluation.runs import Grid
from fleeting.evaluation.summary import of_configuration

REASON = "epoch 2: the train loss is nan"
MODELS, LRS = ["resnet18", "resnet34"], ["1e-04", "1e-05"]
BETTER = ("resnet34", "1e-04")


def write(results, failing=(), folds=(1,)):
    """A grid in which the second model is the better one, but for the runs that fail."""
    for model, lr, repeat, fold in product(MODELS, LRS, (1, 2, 3), folds):
        fails = (model, lr, repeat) in failing and fold == folds[0]
        write_run(
            results,
            ONE_WRONG if model == "resnet18" else LABELS,
            model=model,
            lr=lr,
            repeat=repeat,
            fold=fold,
            part=fold,
            validation=(0.3, 0.5 if model == "resnet18" else 0.9),
            losses=(1.0, nan if fails else 0.5),
            failed=REASON if fails else None,
        )


def summary_of(results, allow_missing=True, parts=1):
    return summarise(results, MODELS, LRS, 3, parts=parts, allow_missing=allow_missing)


def row_of(results, configuration=BETTER):
    return of_configuration(make_table("all_runs", results)[0], *configuration).iloc[0]


def test_a_failed_run_is_an_error_that_names_it(tmp_path):
    write(tmp_path, {(*BETTER, 2)})
    with pytest.raises(UserError) as raised:
        summary_of(tmp_path, allow_missing=False)
    text = str(raised.value)
    assert f"1 of 12 runs failed: resnet34 at 1e-04, repeat 2 ({REASON})" in text
    assert "allow_missing: true" in text


def test_means_are_over_what_is_left_and_say_so(tmp_path):
    write(tmp_path, {(*BETTER, 2), ("resnet18", "1e-05", 1)})
    summary_of(tmp_path)
    evaluation = experiment_folder(tmp_path) / "evaluation"
    for name in ("curves", "confusions"):
        frame = pd.read_csv(evaluation / f"{name}.tsv", sep="\t", dtype={"lr": str})
        for (model, lr), part in frame.groupby(["model", "lr"]):
            left = 2 if (model, lr) in {BETTER, ("resnet18", "1e-05")} else 3
            assert set(part["repeats"]) == {left}, (name, model, lr)
    row = row_of(tmp_path)
    assert (row["repeats"], row["failed"]) == (2, f"repeat 2: {REASON}")
    assert (row["test_accuracy_mean"], row["train_loss_mean"]) == (1, 0.5)
    assert row_of(tmp_path, ("resnet34", "1e-05"))["failed"] == ""
    tested = make_table("table2_test_metrics", tmp_path)[0]
    assert set(tested.loc[tested["choice"] == "paper", "repeats"]) == {2}
    for name in ("all_runs", "table2_test_metrics", "table3_confused_pairs", "scores_by_group"):
        note = make_table(name, tmp_path)[1].note
        assert "2 of 12 runs failed" in note
        assert f"resnet34 at 1e-04, repeat 2 ({REASON})" in note


@pytest.mark.parametrize(
    ("failing", "chosen", "repeats"),
    [
        ({(*BETTER, 1), ("resnet34", "1e-05", 3)}, ("resnet18", "1e-04"), "3 repeats"),
        (set(product(MODELS, LRS, (2,))), BETTER, "2 repeats"),
    ],
    ids=["among the complete configurations", "where none is complete, among all"],
)
def test_validation_chooses(tmp_path, failing, chosen, repeats):
    write(tmp_path, failing)
    choice = summary_of(tmp_path).choice("validation")
    assert (choice.model, choice.lr) == chosen
    assert repeats in choice.reason


def test_a_run_that_never_began_is_listed(tmp_path):
    """As one that did not fit into the device's memory: its history has no epoch."""
    write(tmp_path)
    name = dict(zip(("model", "lr"), BETTER, strict=True), repeat=2)
    write_run(tmp_path, LABELS, **name, validation=(), losses=(), failed="out of memory")
    summary = summary_of(tmp_path)
    row = row_of(tmp_path)
    assert (row["repeats"], row["failed"]) == (2, "repeat 2: out of memory")
    (failed,) = summary.failed.to_dict("records")
    assert failed["epochs"] == 0
    for column in ("train_loss", "lowest_validation_loss", "test_uf1"):
        assert pd.isna(failed[column])


def test_a_configuration_without_any_repeat_left_is_listed(tmp_path):
    write(tmp_path, {(*BETTER, repeat) for repeat in (1, 2, 3)})
    summary_of(tmp_path)
    row = row_of(tmp_path)
    assert (row["repeats"], row["failed"].count(REASON)) == (0, 3)
    assert pd.isna(row["test_accuracy_mean"])


def test_the_fixed_choice_never_moves(tmp_path):
    write(tmp_path, {("resnet18", "1e-05", repeat) for repeat in (1, 2, 3)})
    with pytest.raises(UserError, match="No repeat is left of resnet18 at 1e-05"):
        summary_of(tmp_path)


def test_a_run_with_one_failed_part_is_in_no_mean(tmp_path):
    write(tmp_path, {(*BETTER, 2)}, folds=(1, 2))
    summary = summary_of(tmp_path, parts=2)
    assert list(of_configuration(summary.runs, *BETTER)["repeat"]) == [1, 3]
    assert set(summary.values(*BETTER)["all", "accuracy"]) == {1, 3}
    assert "1 of 12 runs failed" in summary.provenance()


def test_a_failed_run_may_lack_folds(tmp_path):
    for repeat, fold in ((1, 1), (1, 2), (2, 1)):
        failed = REASON if repeat == 2 else None
        write_run(tmp_path, LABELS, repeat=repeat, fold=fold, failed=failed)
    write_split(tmp_path)
    summary = summarise(tmp_path, repeats=2, allow_missing=True)
    assert summary.failed["failed"].tolist() == [REASON]
    assert summary.folds == 2


def test_only_the_models_of_the_chosen_configurations_stay(tmp_path):
    write(tmp_path, folds=(1, 2))
    summary_of(tmp_path, parts=2)
    folder = experiment_folder(tmp_path)
    for part in (folder / "runs").rglob("part*"):
        (part / "models").mkdir()
        (part / "models" / f"fold{part.name[-1]}.pt").write_text(str(part))
    retain_models.run(
        results=tmp_path,
        experiment="paper",
        grid=Grid(models=MODELS, lrs=LRS, repeats=3),
        parts=2,
        choices=folder / "evaluation" / "choices.tsv",
        nested=folder / "evaluation" / "nested.tsv",
        output=tmp_path / "retained.tsv",
    )
    # The paper's choice, and validation's first among equals.
    chosen = {("resnet18", "1e-05"), BETTER}
    left = {str(path.relative_to(tmp_path)) for path in folder.rglob("*.pt")}
    rows = tsv.read_rows(tmp_path / "retained.tsv", retain_models.RETAINED)
    assert {row["path"] for row in rows} == left
    assert {(row["model"], row["lr"]) for row in rows} == chosen
    assert len(left) == len(chosen) * 3 * 2
