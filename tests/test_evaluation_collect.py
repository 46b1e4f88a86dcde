"""The collected tables against values computed by hand or by scikit-learn."""

import json
from math import inf, isnan, nan

import pandas as pd
import pytest
from sklearn.metrics import classification_report

from fabricated_runs import CLASSES, LABELS, write_run
from fleeting.errors import UserError
from fleeting.evaluation import collect, grid, runs, schemas
from fleeting.evaluation.collected import read
from fleeting.evaluation.spread import spread, spread_text, wilson

ALL_RIGHT = LABELS
ALL_HAPPY = ("happiness",) * 6
ONE_WRONG = ("surprise", *LABELS[1:])


def one_cell(repeats=1, folds=("1",), **more):
    cells = {"models": ["resnet18"], "lrs": ["1e-05"], "repeats": repeats, "folds": list(folds)}
    return grid.parse(json.dumps({**cells, **more}))


def collected(results, cells):
    folder = results / "evaluation"
    collect.write_all(runs.read_all(results, "paper", cells), cells, folder)
    return {
        name: read(folder / f"{name}.tsv", getattr(schemas, name.upper()))
        for name in "runs curves repeat_reports reports confusions unseen choices".split()
    }


def cell(frame, **wanted):
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_report_is_averaged_cell_by_cell(tmp_path):
    for repeat, predicted in enumerate((ALL_RIGHT, ALL_HAPPY, ONE_WRONG), start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    found = collected(tmp_path, one_cell(3))["reports"]
    reports = [
        classification_report(LABELS, predicted, output_dict=True, zero_division=0)
        for predicted in (ALL_RIGHT, ALL_HAPPY, ONE_WRONG)
    ]
    for row in (*CLASSES, "macro avg", "weighted avg"):
        for metric in ("precision", "recall", "f1-score", "support"):
            values = pd.Series([report[row][metric] for report in reports])
            own = cell(found, row=row, metric=metric)
            assert own["mean"] == pytest.approx(values.mean(), abs=1e-6)
            assert own["sd"] == pytest.approx(values.std(), abs=1e-6)
            assert (own["low"], own["high"]) == pytest.approx(
                (values.min(), values.max()), abs=1e-6
            )
            assert own["repeats"] == 3
    accuracy = cell(found, row="accuracy")
    assert accuracy["metric"] == "accuracy"
    assert accuracy["mean"] == pytest.approx((1 + 2 / 6 + 5 / 6) / 3, abs=1e-6)


def test_the_mean_f1_is_not_the_f1_of_the_means(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1)
    write_run(tmp_path, ALL_HAPPY, repeat=2)
    found = collected(tmp_path, one_cell(2))["reports"]
    # Happiness: precision 1 and 1/3, recall 1 and 1, hence F1 1 and 1/2.
    assert cell(found, row="happiness", metric="f1-score")["mean"] == pytest.approx(0.75)


def test_one_repeat_has_no_standard_deviation(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    found = collected(tmp_path, one_cell())
    assert found["reports"]["sd"].isna().all()
    assert found["curves"]["validation_accuracy_sd"].isna().all()
    assert spread_text(cell(found["reports"], row="accuracy")) == "one repeat"


def test_folds_are_pooled_before_the_report_is_made(tmp_path):
    # One fold of one image, all wrong; one of six, all right: pooled 6 of 7, not the mean 1/2.
    write_run(tmp_path, ["others"], labels=["happiness"], fold="left", validation=(0.1, 0.3))
    write_run(tmp_path, ALL_RIGHT, fold="right", validation=(0.5, 0.5))
    found = collected(tmp_path, one_cell(folds=("left", "right")))
    assert cell(found["reports"], row="accuracy")["mean"] == pytest.approx(6 / 7, abs=1e-6)
    assert cell(found["reports"], row="accuracy")["repeats"] == 1
    assert list(found["runs"]["fold"]) == ["left", "right"]
    curve = cell(found["curves"], epoch=2)
    assert curve["validation_accuracy_mean"] == pytest.approx(0.4)
    assert curve["repeats"] == 1
    confusion = cell(found["confusions"], label="happiness", predicted="others")
    assert confusion["count_mean"] == 1
    assert confusion["rate_mean"] == pytest.approx(1 / 3, abs=1e-6)


def test_curves_hold_mean_and_range_by_epoch(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1, validation=(0.1, 0.2, 0.6), losses=(3, 2, 1))
    write_run(tmp_path, ALL_RIGHT, repeat=2, validation=(0.3, 0.2, 0.2), losses=(3, 2, 1))
    curves = collected(tmp_path, one_cell(2))["curves"]
    last = cell(curves, epoch=3)
    assert last["validation_accuracy_mean"] == pytest.approx(0.4)
    assert last["validation_accuracy_sd"] == pytest.approx(0.282843)
    assert (last["validation_accuracy_low"], last["validation_accuracy_high"]) == (0.2, 0.6)
    assert list(curves["epoch"]) == [1, 2, 3]


def test_a_run_that_diverged_is_not_averaged_away(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1, losses=(1.0, "nan"))
    write_run(tmp_path, ALL_RIGHT, repeat=2, losses=(1.0, "inf"))
    curves = collected(tmp_path, one_cell(2))["curves"]
    assert isnan(cell(curves, epoch=2)["train_loss_mean"])
    assert spread([1.0, inf])["mean"] == inf
    assert all(isnan(value) for value in spread([1.0, nan]).values())


def test_a_class_without_test_images_is_kept(tmp_path):
    labels = ["happiness", "others"]
    write_run(tmp_path, ["happiness", "surprise"], labels=labels)
    found = collected(tmp_path, one_cell())
    assert cell(found["reports"], row="surprise", metric="support")["mean"] == 0
    assert cell(found["reports"], row="surprise", metric="recall")["mean"] == 0
    assert isnan(cell(found["confusions"], label="surprise", predicted="others")["rate_mean"])


def test_unseen_subjects_have_accuracy_images_and_subjects(tmp_path):
    unseen = [
        ("samm/006/006_1_2/1/apex", "happiness", "happiness"),
        ("samm/007/006_1_2/1/apex", "others", "happiness"),
    ]
    write_run(tmp_path, ALL_RIGHT, repeat=1, unseen=unseen)
    write_run(tmp_path, ALL_RIGHT, repeat=2, unseen=[(*row[:2], row[1]) for row in unseen])
    row = collected(tmp_path, one_cell(2))["unseen"].iloc[0]
    assert (row["images"], row["subjects"], row["repeats"]) == (2, 2, 2)
    assert (row["accuracy_mean"], row["accuracy_low"], row["accuracy_high"]) == (0.75, 0.5, 1.0)
    assert row["chance"] == pytest.approx(1 / 3, abs=1e-6)


def test_without_unseen_subjects_the_table_has_a_header_only(tmp_path):
    write_run(tmp_path, ALL_RIGHT)
    assert collected(tmp_path, one_cell())["unseen"].empty


def choices(tmp_path, accuracies, models=("resnet18", "resnet34"), lrs=("1e-03", "1e-05")):
    cells = one_cell(models=list(models), lrs=list(lrs))
    for (model, lr), accuracy in zip(cells.cells(), accuracies, strict=True):
        write_run(tmp_path, ALL_RIGHT, model=model, lr=lr, validation=(0.9, accuracy))
    found = collected(tmp_path, cells)["choices"].set_index("name")
    return found.loc["paper"], found.loc["validation"]


def test_validation_chooses_by_the_last_epoch(tmp_path):
    paper, validation = choices(tmp_path, (0.2, 0.3, 0.5, 0.4))
    assert (paper["model"], paper["lr"]) == ("resnet18", "1e-05")
    assert (validation["model"], validation["lr"]) == ("resnet34", "1e-03")


def test_among_equals_the_first_of_the_grid_is_chosen(tmp_path):
    _, validation = choices(tmp_path, (0.2, 0.5, 0.5, 0.4))
    assert (validation["model"], validation["lr"]) == ("resnet18", "1e-05")


def test_a_stand_in_for_the_papers_cell_says_so(tmp_path):
    paper, _ = choices(tmp_path, (0.2, 0.3, 0.5, 0.4), lrs=("1e-02", "1e-03"))
    assert (paper["model"], paper["lr"]) == ("resnet18", "1e-03")
    assert "ResNet18 at 1e-05 is not in this grid" in paper["reason"]


def test_a_rate_is_the_papers_by_its_value(tmp_path):
    paper, _ = choices(tmp_path, (0.2, 0.3, 0.5, 0.4), lrs=("1.0e-05", "1e-06"))
    assert paper["lr"] == "1.0e-05"


@pytest.mark.parametrize("name", ["history.tsv", "predictions.tsv", "run.json"])
def test_a_missing_file_is_named(tmp_path, name):
    write_run(tmp_path, ALL_RIGHT, repeat=1)
    (write_run(tmp_path, ALL_RIGHT, repeat=2) / name).unlink()
    with pytest.raises(UserError, match=rf"repeat2/fold1/{name}.*missing"):
        runs.read_all(tmp_path, "paper", one_cell(2))


def test_a_missing_run_is_named(tmp_path):
    write_run(tmp_path, ALL_RIGHT)
    with pytest.raises(UserError, match=r"resnet18/lr1e-05/repeat2/fold1"):
        runs.read_all(tmp_path, "paper", one_cell(2))


def test_runs_with_other_classes_are_refused(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1)
    write_run(tmp_path, ALL_RIGHT, repeat=2, classes=("tense", *CLASSES))
    with pytest.raises(UserError, match=r"repeat2/fold1/run.json: the classes tense"):
        runs.read_all(tmp_path, "paper", one_cell(2))


def test_a_prediction_outside_the_classes_is_refused(tmp_path):
    write_run(tmp_path, ["anger", *LABELS[1:]])
    with pytest.raises(UserError, match="'anger' in column 'predicted' is no class"):
        runs.read_all(tmp_path, "paper", one_cell())


def test_an_empty_test_part_is_refused(tmp_path):
    write_run(tmp_path, [], labels=[])
    with pytest.raises(UserError, match="no image"):
        runs.read_all(tmp_path, "paper", one_cell())


def test_unseen_predictions_of_some_runs_only_are_refused(tmp_path):
    write_run(tmp_path, ALL_RIGHT, repeat=1, unseen=[("samm/006/a/1/apex", "others", "others")])
    write_run(tmp_path, ALL_RIGHT, repeat=2)
    with pytest.raises(UserError, match=r"repeat2/fold1/unseen_predictions.tsv"):
        runs.read_all(tmp_path, "paper", one_cell(2))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"models": [], "lrs": ["1e-03"], "repeats": 1, "folds": ["1"]}', "grid.models"),
        ('{"models": ["a"], "lrs": ["1e-03"], "repeats": 0, "folds": ["1"]}', "grid.repeats"),
        ('{"models": ["a"], "lrs": ["1e-03"], "repeats": 1}', "grid.folds"),
    ],
)
def test_a_wrong_grid_is_named(text, key):
    with pytest.raises(UserError, match=key):
        grid.parse(text)


def test_the_same_runs_give_the_same_bytes(tmp_path):
    for repeat in (1, 2):
        write_run(tmp_path, ONE_WRONG, repeat=repeat)
    cells = one_cell(2)
    for folder in ("a", "b"):
        collect.write_all(runs.read_all(tmp_path, "paper", cells), cells, tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_wilson_interval_is_wilsons():
    # The worked example of 1 in 10: 0.0179 to 0.4042.
    assert wilson(0.1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert wilson(0.0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert all(isnan(bound) for bound in wilson(nan, 10))
