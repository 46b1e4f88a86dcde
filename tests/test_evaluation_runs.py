"""Files of runs that are missing, corrupt, or of another split are refused by name."""

import pytest

from fabricated_runs import (
    CLASSES,
    LABELS,
    experiment_folder,
    summarise,
    write_gate,
    write_run,
    write_split,
)
from fleeting.errors import UserError


@pytest.fixture
def second(tmp_path):
    """The folder of the second of two repeats."""
    write_run(tmp_path, LABELS)
    folder = write_run(tmp_path, LABELS, repeat=2)
    write_split(tmp_path)
    return folder


def refusal(results, repeats=2, parts=1):
    with pytest.raises(UserError) as refused:
        summarise(results, repeats=repeats, parts=parts)
    return str(refused.value)


@pytest.mark.parametrize("name", ["history.tsv", "predictions.tsv", "run.json"])
def test_a_missing_file_is_named(tmp_path, second, name):
    (second / name).unlink()
    assert f"resnet18/lr1e-05/repeat2/part1/{name}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text[:-5], "Invalid JSON"),
        (lambda text: "[]", "object"),
        (lambda text: text.replace('"failed"', '"passed"'), "failed Field required"),
        (lambda text: text.replace("[1]", '"1"'), "folds"),
    ],
)
def test_a_corrupt_run_json_is_named(tmp_path, second, edit, said):
    path = second / "run.json"
    path.write_text(edit(path.read_text()))
    refused = refusal(tmp_path)
    assert f"{path}: corrupt" in refused
    assert said in refused


def test_a_run_of_another_split_is_refused(tmp_path, second):
    write_gate(experiment_folder(tmp_path), CLASSES, folds=2)
    assert "run.json: this run was trained on another split" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("folds", "parts", "present"),
    [([1, 2], 1, "1, those of the split 1, 2"), ([1, 1], 2, "1, 1")],
)
def test_each_fold_is_of_one_part(tmp_path, folds, parts, present):
    for part, fold in enumerate(folds, start=1):
        write_run(tmp_path, LABELS, fold=fold, part=part)
    assert f"the folds of its parts are {present}" in refusal(tmp_path, repeats=1, parts=parts)


def test_a_prediction_outside_the_classes_is_refused(tmp_path):
    write_run(tmp_path, ["anger", *LABELS[1:]])
    assert "'anger' in column 'predicted' is not a class" in refusal(tmp_path, repeats=1)


def test_a_label_that_is_not_the_splits_is_refused(tmp_path, second):
    write_run(tmp_path, LABELS, labels=("surprise", *LABELS[1:]), repeat=2)
    refused = refusal(tmp_path)
    assert "repeat2/part1/predictions.tsv" in refused
    assert "casme/sub01/EP00/1/onset" in refused


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "predictions.tsv",
            lambda lines: [*lines, lines[-1]],
            "its 7 predictions are not",
        ),
        ("predictions.tsv", lambda lines: lines[:-1], "its 5 predictions are not"),
        ("history.tsv", lambda lines: lines[:-1], "the epochs of fold 1 are not 1 to 2"),
    ],
)
def test_a_table_that_gained_or_lost_a_line_is_named(tmp_path, second, name, change, said):
    """Cut where a line ends, a table looks complete, and a number would change in silence."""
    path = second / name
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
    assert f"repeat2/part1/{name}: {said}" in refusal(tmp_path)


def test_folds_without_test_examples_are_refused(tmp_path, second):
    folds = experiment_folder(tmp_path) / "folds.tsv"
    folds.write_text(folds.read_text() + "2\t2\t\t\n")
    assert "rerun with `-R draw_split`" in refusal(tmp_path)
