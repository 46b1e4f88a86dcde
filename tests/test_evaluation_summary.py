"""The summaries of runs against values computed by hand or by scikit-learn."""

from math import inf, isnan, nan

import pandas as pd
import pytest
from sklearn.metrics import classification_report

from fabricated_runs import (
    CLASSES,
    LABELS,
    example_names,
    experiment_folder,
    summarise,
    write_run,
    write_split,
)
from fleeting import tsv
from fleeting.evaluation import schemas
from fleeting.evaluation.report import rows_of_report
from fleeting.evaluation.results import read
from fleeting.evaluation.spread import spread, spread_text

ALL_RIGHT = LABELS
ALL_HAPPY = ("happiness",) * 6
ONE_WRONG = ("surprise", *LABELS[1:])


def table(results, name):
    path = experiment_folder(results) / "evaluation" / f"{name}.tsv"
    return read(path, getattr(schemas, name.upper()))


def row(frame, **wanted):
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def score(summary, group, metric, repeat=1):
    return summary.values("resnet18", "1e-05")[group, metric][repeat]


def test_a_report_is_that_of_scikit_learn_by_repeat(tmp_path):
    every = (ALL_RIGHT, ALL_HAPPY, ONE_WRONG)
    for repeat, predicted in enumerate(every, start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    summary = summarise(tmp_path, repeats=3)
    found = rows_of_report(summary, "resnet18", "1e-05")
    for repeat, predicted in enumerate(every, start=1):
        report = classification_report(LABELS, predicted, output_dict=True, zero_division=0)
        for name in (*CLASSES, "macro avg", "weighted avg"):
            for column in ("precision", "recall", "f1-score", "support"):
                assert found[name, column][repeat] == pytest.approx(report[name][column])
        assert found["accuracy", "accuracy"][repeat] == pytest.approx(report["accuracy"])


def test_the_mean_f1_is_not_the_f1_of_the_means(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1)
    write_run(tmp_path, ALL_HAPPY, repeat=2)
    # Happiness: precision 1 and 1/3, recall 1 and 1, hence F1 1 and 1/2.
    found = summarise(tmp_path, repeats=2).spread("resnet18", "1e-05", "uf1", "class/happiness")
    assert found["mean"] == pytest.approx(0.75)


def test_one_repeat_has_no_standard_deviation(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summary = summarise(tmp_path)
    assert table(tmp_path, "curves")["validation_accuracy_sd"].isna().all()
    assert spread_text(summary.spread("resnet18", "1e-05", "accuracy")) == "one repeat"


@pytest.mark.parametrize("parts", [1, 2])
def test_folds_are_pooled_and_not_averaged(tmp_path, parts):
    # A fold of one example, wrong; one of six, all right: pooled 6 of 7, averaged 1/2.
    write_run(tmp_path, ["others"], labels=["happiness"], fold=1, validation=(0.1, 0.3))
    write_run(tmp_path, ALL_RIGHT, fold=2, part=parts, validation=(0.5, 0.5))
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


def test_parts_do_not_change_a_byte(tmp_path):
    for parts in (1, 3):
        for fold in (1, 2, 3, 4):
            part = fold % parts or parts
            write_run(tmp_path / str(parts), ONE_WRONG, fold=fold, part=part)
        summarise(tmp_path / str(parts), parts=parts)
    one, other = (experiment_folder(tmp_path / str(parts)) for parts in (1, 3))
    assert (one / "scores.tsv").read_bytes() == (other / "scores.tsv").read_bytes()
    for path in (one / "evaluation").iterdir():
        assert path.read_bytes() == (other / "evaluation" / path.name).read_bytes()


def test_a_part_may_be_without_folds(tmp_path):
    folder = write_run(tmp_path, ALL_RIGHT)
    empty = folder.with_name("part2")
    write_run(tmp_path, [], labels=[], part=2, validation=(), losses=())
    (empty / "run.json").write_text(
        (empty / "run.json").read_text().replace('"folds": [1]', '"folds": []')
    )
    assert score(summarise(tmp_path, parts=2), "all", "accuracy") == 1


def test_groups_are_scored_over_the_classes_that_they_have(tmp_path):
    # CASME: two happy examples, one of them taken for surprise. SAMM: others and surprise.
    labels = ["happiness", "happiness", "others", "surprise"]
    examples = [*example_names(2), "samm/006/a/1/apex", "samm/006/b/1/apex"]
    predicted = ["happiness", "surprise", "others", "others"]
    write_run(tmp_path, predicted, labels=labels, examples=examples)
    summary = summarise(tmp_path)
    assert score(summary, "all", "uar") == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert score(summary, "database/casme", "uar") == pytest.approx(1 / 2)
    assert score(summary, "database/samm", "uar") == pytest.approx(1 / 2)
    assert score(summary, "database/samm", "support") == 2
    assert score(summary, "phase/onset", "accuracy") == pytest.approx(1 / 2)
    assert score(summary, "phase/apex", "uf1") == pytest.approx((2 / 3 + 0) / 2)
    groups = {group for group, _ in summary.values("resnet18", "1e-05")}
    assert groups == {
        "all",
        "database/casme",
        "database/samm",
        "phase/onset",
        "phase/apex",
        *(f"class/{name}" for name in CLASSES),
    }


def test_a_class_is_scored_against_the_rest(tmp_path):
    write_run(tmp_path, ("others", "happiness", "others", "happiness", "surprise", "surprise"))
    summary = summarise(tmp_path)
    # Of all six predictions two name happiness, one of them rightly.
    assert score(summary, "class/happiness", "precision") == pytest.approx(1 / 2)
    assert score(summary, "class/happiness", "uar") == pytest.approx(1 / 2)
    assert score(summary, "class/happiness", "accuracy") == pytest.approx(1 / 2)
    assert score(summary, "class/happiness", "support") == 2


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
    write_run(tmp_path, ALL_RIGHT)
    summary = summarise(tmp_path, metrics=["uar"])
    assert set(summary.scores["metric"]) == {"accuracy", "uf1", "uar", "precision", "support"}


def test_a_fold_may_be_for_one_repeat(tmp_path):
    tests = {fold: dict(zip(example_names(6, fold), LABELS, strict=True)) for fold in (1, 2)}
    write_split(tmp_path, tests=tests, repeats={1: 1, 2: 2})
    write_run(tmp_path, ALL_RIGHT, repeat=1, fold=1)
    write_run(tmp_path, ALL_HAPPY, repeat=2, fold=2)
    summary = summarise(tmp_path, repeats=2)
    assert score(summary, "all", "accuracy", 1) == 1
    assert score(summary, "all", "accuracy", 2) == pytest.approx(1 / 3)
    assert summary.folds == 1
    assert summary.provenance().startswith("2 repeats, each on a split of its own")
    assert summary.varied().endswith("and the split")


def test_scores_are_tidy_and_precise(tmp_path):
    write_run(tmp_path, ("happiness", "others", *LABELS[2:]))
    summarise(tmp_path)
    scores = tsv.read(experiment_folder(tmp_path) / "scores.tsv", tsv.SCORES)
    assert list(scores) == list(tsv.SCORES)
    found = row(scores, group="all", metric="accuracy")["value"]
    # More digits than other tables have, so that means of scores can be rounded to theirs.
    assert found == "0.833333333333"


def test_curves_hold_mean_and_range_by_epoch(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1, validation=(0.1, 0.2, 0.6), losses=(3, 2, 1))
    write_run(tmp_path, ALL_RIGHT, repeat=2, validation=(0.3, 0.2, 0.2), losses=(3, 2, 1))
    summarise(tmp_path, repeats=2)
    curves = table(tmp_path, "curves")
    last = row(curves, epoch=3)
    assert last["validation_accuracy_mean"] == pytest.approx(0.4)
    assert last["validation_accuracy_sd"] == pytest.approx(0.282843)
    assert (last["validation_accuracy_low"], last["validation_accuracy_high"]) == (0.2, 0.6)
    assert list(curves["epoch"]) == [1, 2, 3]


def test_a_run_that_diverged_is_not_averaged_away(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1, losses=(1.0, "nan"))
    write_run(tmp_path, ALL_RIGHT, repeat=2, losses=(1.0, "inf"))
    summarise(tmp_path, repeats=2)
    assert isnan(row(table(tmp_path, "curves"), epoch=2)["train_loss_mean"])
    assert spread([1.0, inf])["mean"] == inf
    assert all(isnan(value) for value in spread([1.0, nan]).values())


def choices(tmp_path, accuracies, lrs=("1e-03", "1e-05")):
    models = ("resnet18", "resnet34")
    grid = [(model, lr) for model in models for lr in lrs]
    for (model, lr), accuracy in zip(grid, accuracies, strict=True):
        write_run(tmp_path, ALL_RIGHT, model=model, lr=lr, validation=(0.9, accuracy))
    return summarise(tmp_path, models, lrs).choices


def test_validation_chooses_by_the_last_epoch(tmp_path):
    paper, validation = choices(tmp_path, (0.2, 0.3, 0.5, 0.4))
    assert (paper.model, paper.lr) == ("resnet18", "1e-05")
    assert (validation.model, validation.lr) == ("resnet34", "1e-03")


def test_among_equals_the_first_of_the_grid_is_chosen(tmp_path):
    _, validation = choices(tmp_path, (0.2, 0.5, 0.5, 0.4))
    assert (validation.model, validation.lr) == ("resnet18", "1e-05")


def test_a_stand_in_for_the_papers_choice_says_so(tmp_path):
    paper, _ = choices(tmp_path, (0.2, 0.3, 0.5, 0.4), lrs=("1e-02", "1e-03"))
    assert (paper.model, paper.lr) == ("resnet18", "1e-03")
    assert "ResNet18 at 1e-05 is not in this grid" in paper.reason


def test_a_rate_is_the_papers_by_its_value(tmp_path):
    paper, _ = choices(tmp_path, (0.2, 0.3, 0.5, 0.4), lrs=("1.0e-05", "1e-06"))
    assert paper.lr == "1.0e-05"


def test_the_same_runs_give_the_same_bytes(tmp_path):
    for repeat in (1, 2):
        write_run(tmp_path, ONE_WRONG, repeat=repeat)
    summarise(tmp_path, repeats=2)
    folder = experiment_folder(tmp_path)
    paths = [folder / "scores.tsv", *(folder / "evaluation").iterdir()]
    first = {path: path.read_bytes() for path in paths}
    summarise(tmp_path, repeats=2)
    assert first == {path: path.read_bytes() for path in paths}


def test_numbers_are_read_as_numbers(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summarise(tmp_path)
    runs = table(tmp_path, "runs")
    assert pd.api.types.is_integer_dtype(runs["epochs"])
    assert pd.api.types.is_float_dtype(runs["train_loss"])
