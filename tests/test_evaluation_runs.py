"""Files of runs that are missing, truncated, or of another split are refused by name."""

import json

import pytest

from fabricated_runs import CLASSES, LABELS, experiment_folder, summarise, write_run, write_split
from fleeting.errors import UserError

RIGHT = LABELS


@pytest.mark.parametrize("name", ["history.tsv", "predictions.tsv", "run.json"])
def test_a_missing_file_is_named(tmp_path, name):
    write_run(tmp_path, RIGHT, repeat=1)
    (write_run(tmp_path, RIGHT, repeat=2) / name).unlink()
    write_split(tmp_path)
    with pytest.raises(UserError, match=rf"repeat2/part1/{name}.*missing"):
        summarise(tmp_path, repeats=2)


def test_a_missing_run_is_named(tmp_path):
    write_run(tmp_path, RIGHT)
    with pytest.raises(UserError, match=r"resnet18/lr1e-05/repeat2/part1"):
        summarise(tmp_path, repeats=2)


def test_runs_with_other_classes_are_refused(tmp_path):
    write_run(tmp_path, RIGHT, repeat=1)
    write_run(tmp_path, RIGHT, repeat=2, classes=("tense", *CLASSES))
    with pytest.raises(UserError, match=r"repeat2/part1/run.json: the classes tense"):
        summarise(tmp_path, repeats=2)


def test_a_run_of_another_split_is_refused(tmp_path):
    write_run(tmp_path, RIGHT)
    gate = experiment_folder(tmp_path) / "split.json"
    gate.write_text(json.dumps({"classes": list(CLASSES), "folds": 2}))
    with pytest.raises(UserError, match=r"run.json: this run was trained on another split"):
        summarise(tmp_path)


def test_a_fold_that_no_part_has_is_named(tmp_path):
    for fold in (1, 2):
        write_run(tmp_path, RIGHT, fold=fold, part=fold)
    write_split(tmp_path)
    with pytest.raises(UserError, match=r"folds of its parts are 1, those of the split 1, 2"):
        summarise(tmp_path, parts=1)


def test_a_fold_that_two_parts_have_is_refused(tmp_path):
    for part in (1, 2):
        write_run(tmp_path, RIGHT, part=part)
    with pytest.raises(UserError, match=r"folds of its parts are 1, 1, those of the split 1;"):
        summarise(tmp_path, parts=2)


def test_a_prediction_outside_the_classes_is_refused(tmp_path):
    write_run(tmp_path, ["anger", *LABELS[1:]])
    with pytest.raises(UserError, match="'anger' in column 'predicted' is not a class"):
        summarise(tmp_path)


def test_a_label_that_is_not_the_splits_is_refused(tmp_path):
    write_run(tmp_path, RIGHT, repeat=1)
    write_split(tmp_path)
    write_run(tmp_path, RIGHT, labels=("surprise", *LABELS[1:]), repeat=2)
    with pytest.raises(UserError, match=r"repeat2/part1/predictions.tsv.*casme/sub01/EP00/1/onset"):
        summarise(tmp_path, repeats=2)


def test_an_example_that_was_predicted_twice_is_refused(tmp_path):
    path = write_run(tmp_path, RIGHT) / "predictions.tsv"
    write_split(tmp_path)
    path.write_text(path.read_text() + path.read_text().splitlines(keepends=True)[-1])
    with pytest.raises(UserError, match="its 7 predictions are not of the 6 test examples"):
        summarise(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("predictions.tsv", "its 5 predictions are not of the 6 test examples"),
        ("history.tsv", "the epochs of fold 1 are not 1 to 2"),
    ],
)
def test_a_table_that_lost_its_last_line_is_named(tmp_path, name, message):
    """Cut where a line ends, a table looks complete, and a number would change in silence."""
    for repeat in (1, 2):
        write_run(tmp_path, RIGHT, repeat=repeat)
    path = write_run(tmp_path, RIGHT, repeat=2) / name
    write_split(tmp_path)
    summarise(tmp_path, repeats=2)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match=rf"repeat2/part1/{name}: {message}"):
        summarise(tmp_path, repeats=2)


def test_folds_without_test_examples_are_refused(tmp_path):
    write_run(tmp_path, RIGHT)
    write_split(tmp_path)
    folds = experiment_folder(tmp_path) / "folds.tsv"
    folds.write_text(folds.read_text() + "2\t2\t\t\n")
    with pytest.raises(UserError, match=r"folds.tsv: .*rerun with `-R draw_split`"):
        summarise(tmp_path)
