"""Runs that failed: named, in no mean, and every mean says how many repeats it has."""

from itertools import product
from math import nan

import pandas as pd
import pytest

from fabricated_runs import (
    LABELS,
    experiment_folder,
    make_table,
    summarise,
    write_run,
    write_split,
    write_table_job,
)
from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.evaluation import retain_models
from fleeting.evaluation.claims import Claim
from fleeting.evaluation.measured import Measured
from fleeting.evaluation.results import of_configuration

REASON = "epoch 2: the train loss is nan"
MODELS, LRS = ["resnet18", "resnet34"], ["1e-04", "1e-05"]
ONE_WRONG = ("surprise", *LABELS[1:])


def write(results, failing, folds=(1,)):
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


def test_a_failed_run_is_an_error_that_names_it(tmp_path):
    write(tmp_path, {("resnet34", "1e-04", 2)})
    with pytest.raises(UserError) as raised:
        summary_of(tmp_path, allow_missing=False)
    text = str(raised.value)
    assert f"1 of 12 runs failed: resnet34 at 1e-04, repeat 2 ({REASON})" in text
    assert "allow_missing: true" in text


def test_means_are_over_what_is_left_and_say_so(tmp_path):
    write(tmp_path, {("resnet34", "1e-04", 2), ("resnet18", "1e-05", 1)})
    summary_of(tmp_path)
    evaluation = experiment_folder(tmp_path) / "evaluation"
    for name in ("curves", "confusions"):
        frame = pd.read_csv(evaluation / f"{name}.tsv", sep="\t", dtype={"lr": str})
        for (model, lr), part in frame.groupby(["model", "lr"]):
            left = 2 if (model, lr) in {("resnet34", "1e-04"), ("resnet18", "1e-05")} else 3
            assert set(part["repeats"]) == {left}, (name, model, lr)
    table, _, page = make_table("all_runs", tmp_path)
    row = of_configuration(table, "resnet34", "1e-04").iloc[0]
    assert row["repeats"] == 2
    assert row["failed"] == f"repeat 2: {REASON}"
    assert row["test_accuracy_mean"] == 1
    assert row["train_loss_mean"] == 0.5
    assert of_configuration(table, "resnet34", "1e-05").iloc[0]["failed"] == ""
    tested, _, other = make_table("test_metrics", tmp_path)
    assert set(tested.loc[tested["choice"] == "paper", "repeats"]) == {2}
    for note in (page.note, other.note):
        assert "2 of 12 runs failed" in note
        assert f"resnet34 at 1e-04, repeat 2 ({REASON})" in note


def test_validation_chooses_among_the_complete_configurations(tmp_path):
    write(tmp_path, {("resnet34", "1e-04", 1), ("resnet34", "1e-05", 3)})
    choice = summary_of(tmp_path).choices[1]
    assert (choice.model, choice.lr) == ("resnet18", "1e-04")
    assert "3 repeats" in choice.reason


def test_where_none_is_complete_validation_chooses_among_all(tmp_path):
    write(tmp_path, set(product(MODELS, LRS, (2,))))
    choice = summary_of(tmp_path).choices[1]
    assert (choice.model, choice.lr) == ("resnet34", "1e-04")
    assert "2 repeats" in choice.reason


def test_a_run_that_never_began_is_listed(tmp_path):
    """As one that did not fit into the device's memory: its history has no epoch."""
    write(tmp_path, set())
    reason = "out of memory: resnet34 does not fit"
    write_run(
        tmp_path,
        LABELS,
        model="resnet34",
        lr="1e-04",
        repeat=2,
        validation=(),
        losses=(),
        failed=reason,
    )
    summary = summary_of(tmp_path)
    row = of_configuration(make_table("all_runs", tmp_path)[0], "resnet34", "1e-04").iloc[0]
    assert (row["repeats"], row["failed"]) == (2, f"repeat 2: {reason}")
    (failed,) = summary.failed.to_dict("records")
    assert failed["epochs"] == 0
    assert pd.isna(failed["train_loss"])
    assert pd.isna(failed["lowest_validation_loss"])
    assert pd.isna(failed["test_uf1"])


def test_a_configuration_without_any_repeat_left_is_listed(tmp_path):
    write(tmp_path, {("resnet34", "1e-04", repeat) for repeat in (1, 2, 3)})
    summary_of(tmp_path)
    row = of_configuration(make_table("all_runs", tmp_path)[0], "resnet34", "1e-04").iloc[0]
    assert row["repeats"] == 0
    assert row["failed"].count(REASON) == 3
    assert pd.isna(row["test_accuracy_mean"])


def test_the_fixed_choice_never_moves(tmp_path):
    write(tmp_path, {("resnet18", "1e-05", repeat) for repeat in (1, 2, 3)})
    with pytest.raises(UserError, match="No repeat is left of resnet18 at 1e-05"):
        summary_of(tmp_path)


@pytest.mark.parametrize("parts", [1, 2])
def test_a_run_with_one_failed_fold_is_in_no_mean(tmp_path, parts):
    write(tmp_path, {("resnet34", "1e-04", 2)}, folds=(1, 2)[:parts])
    summary = summary_of(tmp_path, parts=parts)
    assert list(of_configuration(summary.runs, "resnet34", "1e-04")["repeat"]) == [1, 3]
    assert set(summary.values("resnet34", "1e-04")["all", "accuracy"]) == {1, 3}
    assert "1 of 12 runs failed" in summary.provenance()


def test_a_failed_run_may_lack_folds(tmp_path):
    for repeat in (1, 2):
        for fold in (1, 2) if repeat == 1 else (1,):
            failed = None if repeat == 1 else REASON
            write_run(tmp_path, LABELS, repeat=repeat, fold=fold, failed=failed)
    write_split(tmp_path)
    summary = summarise(tmp_path, repeats=2, allow_missing=True)
    assert summary.failed["failed"].tolist() == [REASON]
    assert summary.folds == 2


def claim(*needs):
    """The second value is the higher one."""
    return Claim(
        where="here",
        claim="the second is better",
        decided_by="the test",
        needs=needs,
        holds=lambda value: value(needs[1]) > value(needs[0]),
        by_chance=None,
    )


NEEDS = tuple(("test_accuracy", model, "1e-05") for model in MODELS)


def test_orderings_compare_the_same_repeats(tmp_path):
    """Repeat 1 of one model is never compared with repeat 2 of another."""
    write(tmp_path, {("resnet18", "1e-05", 1), ("resnet34", "1e-05", 3)})
    measured = Measured(summary_of(tmp_path))
    assert set(measured.by_repeat[NEEDS[0]]) == {2, 3}
    assert set(measured.by_repeat[NEEDS[1]]) == {1, 2}
    ordering = registry.load("table", "paper_comparison")._ordering
    row = ordering(claim(*NEEDS), measured)
    assert (row["repeats"], row["holds_in"]) == ("1", "1 of 1")
    measured.by_repeat[NEEDS[0]][3] = 0.123
    assert ordering(claim(*NEEDS), measured)["this_run"] == row["this_run"]


def test_an_ordering_without_a_common_repeat_says_so(tmp_path):
    write(tmp_path, {("resnet18", "1e-05", 1), ("resnet34", "1e-05", 2), ("resnet34", "1e-05", 3)})
    measured = Measured(summary_of(tmp_path))
    row = registry.load("table", "paper_comparison")._ordering(claim(*NEEDS), measured)
    assert (row["repeats"], row["this_run"], row["holds_in"]) == ("0", "", "")
    assert row["status"].startswith("no repeat")


def test_only_the_models_of_the_chosen_configurations_stay(tmp_path):
    write(tmp_path, set(), folds=(1, 2))
    summary_of(tmp_path, parts=2)
    folder = experiment_folder(tmp_path)
    for part in (folder / "runs").rglob("part*"):
        (part / "models").mkdir()
        (part / "models" / f"fold{part.name[-1]}.pt").write_text(str(part))
    retain_models.run(
        results=tmp_path,
        experiment="paper",
        grid={"models": MODELS, "lrs": LRS, "repeats": 3},
        parts=2,
        choices=folder / "evaluation" / "choices.tsv",
        output=tmp_path / "retained.tsv",
    )
    # The paper's choice, and validation's first among equals.
    chosen = {("resnet18", "1e-05"), ("resnet34", "1e-04")}
    left = {str(path.relative_to(tmp_path)) for path in folder.rglob("*.pt")}
    rows = tsv.read_rows(tmp_path / "retained.tsv", retain_models.RETAINED)
    assert {row["path"] for row in rows} == left
    assert {(row["model"], row["lr"]) for row in rows} == chosen
    assert len(left) == len(chosen) * 3 * 2


@pytest.mark.parametrize("name", ["all_runs", "test_metrics", "confused_pairs", "scores"])
def test_every_table_is_made_without_the_failed_runs(tmp_path, name):
    write(tmp_path, {("resnet34", "1e-04", 2)})
    summary_of(tmp_path)
    write_table_job(name, tmp_path, tmp_path / "out.tsv")
    assert REASON in (tmp_path / "out.html").read_text()
