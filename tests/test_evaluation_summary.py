"""The summaries of runs against values computed by hand or by scikit-learn."""

from itertools import product
from math import inf, isnan, nan

import pytest
from sklearn.metrics import classification_report

from fabricated_runs import (
    ALL_HAPPY,
    CLASSES,
    LABELS,
    ONE_WRONG,
    example_names,
    experiment_folder,
    summarise,
    write_run,
    write_split,
)
from fleeting import tsv
from fleeting.evaluation import schemas
from fleeting.evaluation.repeats import spread, spread_text
from fleeting.evaluation.summary import order_by_validation, read_choices


def table(results, name):
    path = experiment_folder(results) / "evaluation" / f"{name}.tsv"
    return schemas.read(path, getattr(schemas, name.upper()))


def row(frame, **wanted):
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def score(summary, group, metric, repeat=1):
    return summary.values("resnet18", "1e-05")[group, metric][repeat]


def test_a_report_is_that_of_scikit_learn_by_repeat(tmp_path):
    every = (LABELS, ALL_HAPPY, ONE_WRONG)
    for repeat, predicted in enumerate(every, start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    summary = summarise(tmp_path, repeats=3)
    found = summary.report("resnet18", "1e-05")
    for repeat, predicted in enumerate(every, start=1):
        report = classification_report(LABELS, predicted, output_dict=True, zero_division=0)
        for name in (*CLASSES, "macro avg", "weighted avg"):
            for column in ("precision", "recall", "f1-score", "support"):
                assert found[name, column][repeat] == pytest.approx(report[name][column])
        assert found["accuracy", "accuracy"][repeat] == pytest.approx(report["accuracy"])
    assert summary.report("resnet34", "1e-05") == {}
    # The mean of F1 is not the F1 of means. Happiness: F1 1, 1/2 and 2 * 1 * 1/2 / (1 + 1/2).
    mean = summary.spread("resnet18", "1e-05", "uf1", "class/happiness")["mean"]
    assert mean == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)


def test_one_repeat_has_no_spread(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summary = summarise(tmp_path)
    assert table(tmp_path, "curves")["validation_accuracy_sd"].isna().all()
    assert spread_text(summary.spread("resnet18", "1e-05", "accuracy")) == "one repeat"
    assert summary.provenance().startswith("One repeat on one split: nothing varied")


@pytest.mark.parametrize("parts", [1, 2])
def test_folds_are_pooled_and_not_averaged(tmp_path, parts):
    # A fold of one example, wrong; one of six, all right: pooled 6 of 7, averaged 1/2.
    write_run(tmp_path, ["others"], labels=["happiness"], fold=1, validation=(0.1, 0.3))
    write_run(tmp_path, LABELS, fold=2, part=parts, validation=(0.5, 0.5))
    summary = summarise(tmp_path, parts=parts)
    assert score(summary, "all", "accuracy") == pytest.approx(6 / 7)
    assert score(summary, "all", "uar") == pytest.approx((2 / 3 + 1 + 1) / 3)
    # TP 2, FN 1 for happiness; TP 2, FP 1 for others.
    assert score(summary, "all", "uf1") == pytest.approx((4 / 5 + 4 / 5 + 1) / 3)
    assert summary.folds == 2
    run = table(tmp_path, "runs").iloc[0]
    assert (run["folds"], run["test_examples"]) == (2, 7)
    assert run["validation_accuracy"] == pytest.approx(0.4)
    curve = row(table(tmp_path, "curves"), epoch=2)
    assert (curve["validation_accuracy_mean"], curve["repeats"]) == (pytest.approx(0.4), 1)
    confusion = row(table(tmp_path, "confusions"), label="happiness", predicted="others")
    assert confusion["count_mean"] == 1
    assert confusion["rate_mean"] == pytest.approx(1 / 3, abs=1e-6)


def test_neither_parts_nor_repetition_change_a_byte(tmp_path):
    written = []
    for name, parts in (("one", 1), ("again", 1), ("three", 3)):
        for fold in (1, 2, 3, 4):
            write_run(tmp_path / name, ONE_WRONG, fold=fold, part=fold % parts or parts)
        summarise(tmp_path / name, parts=parts)
        folder = experiment_folder(tmp_path / name)
        paths = [folder / "scores.tsv", *sorted((folder / "evaluation").iterdir())]
        written.append([path.read_bytes() for path in paths])
    assert len(written[0]) == 12
    assert written[0] == written[1] == written[2]


def test_a_part_may_be_without_folds(tmp_path):
    write_run(tmp_path, LABELS)
    path = write_run(tmp_path, [], labels=[], part=2, validation=(), losses=()) / "run.json"
    path.write_text(path.read_text().replace('"folds": [1]', '"folds": []'))
    assert score(summarise(tmp_path, parts=2), "all", "accuracy") == 1


def test_groups_are_scored_over_the_classes_that_they_have(tmp_path):
    # CASME: two happy examples, one of them taken for surprise. SAMM: others and surprise.
    labels = ["happiness", "happiness", "others", "surprise"]
    examples = [*example_names(2), "samm/006/a/1/apex", "samm/006/b/1/apex"]
    predicted = ["happiness", "surprise", "others", "others"]
    write_run(tmp_path, predicted, labels=labels, examples=examples)
    summary = summarise(tmp_path)
    expected = {
        ("all", "uar"): (1 / 2 + 1 + 0) / 3,
        ("database/casme", "uar"): 1 / 2,
        ("database/samm", "uar"): 1 / 2,
        ("database/samm", "support"): 2,
        ("phase/onset", "accuracy"): 1 / 2,
        ("phase/apex", "uf1"): (2 / 3 + 0) / 2,
        # A class is scored against the rest: of all predictions one names happiness, rightly.
        ("class/happiness", "precision"): 1,
        ("class/happiness", "uar"): 1 / 2,
        ("class/happiness", "accuracy"): 1 / 2,
        ("class/happiness", "support"): 2,
    }
    assert {key: score(summary, *key) for key in expected} == pytest.approx(expected)
    groups = list(dict.fromkeys(group for group, _ in summary.values("resnet18", "1e-05")))
    databases_and_phases = ["database/casme", "database/samm", "phase/onset", "phase/apex"]
    assert groups == ["all", *databases_and_phases, *(f"class/{name}" for name in CLASSES)]


def test_a_class_without_test_examples_lowers_no_mean(tmp_path):
    write_run(tmp_path, ["happiness", "surprise"], labels=["happiness", "others"])
    summary = summarise(tmp_path)
    assert score(summary, "class/surprise", "support") == 0
    assert score(summary, "class/surprise", "uar") == 0
    assert isnan(score(summary, "class/surprise", "accuracy"))
    assert score(summary, "all", "uar") == pytest.approx(1 / 2)
    assert summary.classes == list(CLASSES)
    confusions = table(tmp_path, "confusions")
    assert isnan(row(confusions, label="surprise", predicted="others")["rate_mean"])


def test_an_experiment_names_its_metrics_and_five_are_always_there(tmp_path):
    write_run(tmp_path, LABELS)
    summary = summarise(tmp_path, metrics=["uar"])
    assert set(summary.scores["metric"]) == {"accuracy", "uf1", "uar", "precision", "support"}


def test_a_fold_may_be_for_one_repeat(tmp_path):
    write_run(tmp_path, LABELS, repeat=1, fold=1)
    write_run(tmp_path, ALL_HAPPY, repeat=2, fold=2)
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summary = summarise(tmp_path, repeats=2)
    assert score(summary, "all", "accuracy", 1) == 1
    assert score(summary, "all", "accuracy", 2) == pytest.approx(1 / 3)
    assert summary.folds == 1
    assert summary.provenance().startswith("2 repeats, each on a split of its own")
    assert summary.varied().endswith("and the split")


def test_scores_have_the_digits_that_their_means_need(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summarise(tmp_path)
    scores = tsv.read(experiment_folder(tmp_path) / "scores.tsv", tsv.SCORES)
    assert row(scores, group="all", metric="accuracy")["value"] == "0.833333333333"


def test_curves_hold_mean_and_range_by_epoch(tmp_path):
    write_run(tmp_path, LABELS, repeat=1, validation=(0.1, 0.2, 0.6), losses=(3, 2, "nan"))
    write_run(tmp_path, LABELS, repeat=2, validation=(0.3, 0.2, 0.2), losses=(3, 2, "inf"))
    summarise(tmp_path, repeats=2)
    curves = table(tmp_path, "curves")
    assert list(curves["epoch"]) == [1, 2, 3]
    last = row(curves, epoch=3)
    assert last["validation_accuracy_mean"] == pytest.approx(0.4)
    assert last["validation_accuracy_sd"] == pytest.approx(0.282843)
    assert (last["validation_accuracy_low"], last["validation_accuracy_high"]) == (0.2, 0.6)
    # A run that diverged is not averaged away.
    assert isnan(last["train_loss_mean"])
    assert spread([1.0, inf])["mean"] == inf
    assert all(isnan(value) for value in spread([1.0, nan]).values())


@pytest.mark.parametrize(
    ("accuracies", "lrs", "paper", "validation"),
    [
        ((0.2, 0.3, 0.5, 0.4), "1e-03 1e-05", "resnet18 1e-05", "resnet34 1e-03"),
        # Among equals the first of the grid, and where there is no accuracy.
        ((0.2, 0.5, 0.5, 0.4), "1e-03 1e-05", "resnet18 1e-05", "resnet18 1e-05"),
        ((nan, nan, nan, nan), "1e-03 1e-05", "resnet18 1e-05", "resnet18 1e-03"),
        # A rate is the paper's by its value; where there is none, another stands in for it.
        ((0.2, 0.3, 0.5, 0.4), "1.0e-05 1e-06", "resnet18 1.0e-05", "resnet34 1.0e-05"),
        ((0.2, 0.3, 0.5, 0.4), "1e-02 1e-03", "resnet18 1e-03", "resnet34 1e-02"),
    ],
)
def test_choices_are_the_papers_and_that_of_the_last_validation_epoch(
    tmp_path, accuracies, lrs, paper, validation
):
    models = ("resnet18", "resnet34")
    for (model, lr), accuracy in zip(product(models, lrs.split()), accuracies, strict=True):
        write_run(tmp_path, LABELS, model=model, lr=lr, validation=(0.9, accuracy))
    choices = summarise(tmp_path, models, lrs.split()).choices
    assert [f"{one.model} {one.lr}" for one in choices] == [paper, validation]
    assert ("is not in this grid" in choices[0].reason) == ("1e-02" in lrs)


def test_experiments_are_ordered_by_validation_and_never_by_test(tmp_path):
    """The best on validation has the worst predictions."""
    paths = []
    for name, guesses, accuracy in (
        ("low", LABELS, 0.2),
        ("high", ALL_HAPPY, 0.9),
        ("middle", ONE_WRONG, 0.5),
        ("equal", LABELS, 0.9),
    ):
        write_run(tmp_path, guesses, experiment=name, validation=(0.1, accuracy))
        summarise(tmp_path, experiment=name)
        paths.append(experiment_folder(tmp_path, name) / "evaluation/choices.tsv")
    order = order_by_validation(paths)
    assert [paths[place].parts[-3] for place in order] == ["high", "equal", "middle", "low"]
    (found,) = [one for one in read_choices(paths[2]) if one.name == "validation"]
    assert found.validation_accuracy == 0.5
