"""Figures of scores: points over repeats, chance beside them, one experiment and many."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from fabricated_runs import declared
from figure_tables import SCHEMAS, chosen, draw, texts
from fleeting import registry, tsv
from fleeting.evaluation import chance, schemas
from fleeting.evaluation.confusion import of_groups

GROUPS = ["all", "database/casme", "database/casme2", "phase/apex", "class/a", "class/b"]
CHOSEN = [("resnet18", "1e-05"), ("resnet34", "1e-03")]


def tables(repeats: int = 2) -> dict[str, pd.DataFrame]:
    """Every score is 0.5 and, in the second repeat, 0.7.

    There are three test examples of class a and one of class b, which CASME II alone has.
    """
    scores = [
        (model, lr, repeat, group, metric, 0.3 + 0.2 * repeat)
        for (model, lr), group, metric, repeat in product(
            CHOSEN, GROUPS, ("uf1", "uar", "accuracy"), range(1, repeats + 1)
        )
    ]
    # Of CASME there are too few subjects.
    kinds = {"database/casme": "range"}
    intervals = [
        (
            model,
            lr,
            group,
            metric,
            0.5,
            0.4,
            0.65,
            kinds.get(group, "bootstrap"),
            12,
            11,
            0,
            repeats,
            0.4,
            0.01,
        )
        for (model, lr), group, metric in product(CHOSEN, GROUPS, ("uf1", "uar", "accuracy"))
    ]
    baselines = [
        ("majority", "always", looks_at, group, metric, score, 0.3, 0.6, "bootstrap", 12, 11, 0, 1)
        for group, metric in product(GROUPS[:4], ("uf1", "uar", "accuracy"))
        for looks_at, score in (("labels", 0.4), ("labels", 0.45), ("examples", 0.9))
    ]
    tests = [("1", "casme", "a"), ("2", "casme", "a"), ("3", "casme2", "a"), ("4", "casme2", "b")]
    split = [
        (name, name, data, "sub", "apex", label, "1", "test", f"{data}/sub", f"{data}/sub/{name}")
        for name, data, label in tests
    ]
    return {
        "scores": pd.DataFrame(scores, columns=list(tsv.SCORES)),
        "intervals": pd.DataFrame(intervals, columns=list(schemas.INTERVALS)),
        "baselines": pd.DataFrame(baselines, columns=list(schemas.BASELINES)),
        "split": pd.DataFrame(split, columns=list(tsv.SPLIT)),
        "choices": chosen(*CHOSEN),
    }


def draw_experiments(results, repeats: dict[str, int]):
    files = declared("figure", "experiments", results, list(repeats))
    for key, paths in files.items():
        for path, count in zip(paths, repeats.values(), strict=True):
            tsv.write(tables(count)[key], path, SCHEMAS[key])
    return registry.load("figure", "experiments").draw(files, {})


def points(axes) -> list[list[float]]:
    """The drawn points, line by line; chance is drawn as lines that are not points."""
    return [list(line.get_xdata()) for line in axes.lines if line.get_marker() != "None"]


def chances(axes) -> list[float]:
    """Where chance is marked; rules between sections run across and are no such mark."""
    marks = [line for line in axes.lines if line.get_marker() == "None"]
    return [line.get_xdata()[0] for line in marks if line.get_xdata()[0] == line.get_xdata()[1]]


@pytest.mark.parametrize("counts", [[5, 5, 5], [9, 1, 1, 1], [250, 99, 83]])
def test_chance_is_what_predictors_without_skill_score(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    classes = range(len(counts))
    guesses = np.random.default_rng(1).integers(len(counts), size=(400, len(labels)))
    for metric in ("accuracy", "uf1", "uar"):
        metric_score = registry.load("metric", metric).score
        expected = chance.of_group(metric, counts, len(counts))
        largest = np.full_like(labels, np.argmax(counts))

        def score(labels, predicted, classes, metric_score=metric_score):
            group = np.zeros_like(labels)
            counts = of_groups(labels, predicted, group, 1, len(classes))[0]
            return metric_score(counts, classes)

        assert score(labels, largest, classes) == pytest.approx(expected.majority)
        guessed = np.mean([score(labels, guess, classes) for guess in guesses])
        # F1 of expected counts is not quite the expected F1.
        assert guessed == pytest.approx(expected.guessing, abs=0.03)


def test_chance_of_one_class_is_of_its_recall_and_its_f1():
    assert chance.of_class("uar", 0.75, 2) == chance.Chance(0.5, None)
    assert chance.of_class("uf1", 0.75, 2).guessing == pytest.approx(0.6)


def test_scores_show_each_group_with_repeats_mean_and_chance(tmp_path):
    figure = draw("scores", tmp_path, tables())
    uf1, uar, accuracy = figure.axes
    assert texts(uf1.get_yticklabels()) == [
        "all test images (4, K = 2)",
        "CASME (2, K = 1)",
        "CASME II (2, K = 2)",
        "apex (4, K = 2)",
        "a (3)",
        "b (1)",
    ]
    assert points(accuracy)[:2] == [pytest.approx([0.5, 0.7]), [pytest.approx(0.6)]]
    assert chances(accuracy)[:3] == [0.5, 0.75, 0.45]
    assert chances(uar)[-1] == 0.5
    assert chances(uf1).count(0.45) == 4, "a class has no null model"
    assert texts(figure.legends[0].get_texts()) == [
        "paper's choice: ResNet18 at 1e-05, 2 repeats",
        "validation's choice: ResNet34 at 1e-03, 2 repeats",
        "one repeat (large: their mean)",
        "95% interval over subjects",
        "range without one subject (too few for an interval)",
        "guessing each class equally often",
        "always the most frequent class",
        "best null model (given annotations alone)",
    ]


def test_intervals_are_lines_and_ranges_dotted_ones(tmp_path):
    lines = draw("scores", tmp_path, tables()).axes[0].lines
    drawn = [line for line in lines if list(line.get_xdata()) == [0.4, 0.65]]
    assert len(drawn) == len(GROUPS) * len(CHOSEN)
    assert [line.get_linestyle() for line in drawn].count("-") == (len(GROUPS) - 1) * len(CHOSEN)


def test_a_single_repeat_is_one_point(tmp_path):
    figure = draw("scores", tmp_path, tables(repeats=1))
    assert points(figure.axes[0]) == [[0.5]] * len(CHOSEN) * len(GROUPS)
    assert not any("one repeat" in text for text in texts(figure.legends[0].get_texts()))


def test_a_score_that_is_missing_is_said_to_be(tmp_path):
    found = tables()
    found["scores"].loc[found["scores"]["group"] == "class/b", "value"] = np.nan
    figure = draw("scores", tmp_path, found)
    assert texts(figure.axes[0].texts) == ["no score", "no score"]


def test_experiments_stand_side_by_side_with_their_repeats(tmp_path):
    figure = draw_experiments(tmp_path, {"paper": 2, "leave_one_subject_out": 1})
    assert [axes.get_title() for axes in figure.axes] == ["UF1", "UAR", "accuracy"]
    assert texts(figure.axes[0].get_yticklabels()) == [
        "paper\n2 repeats, n = 4, K = 2",
        "leave_one_subject_out\n1 repeat, n = 4, K = 2",
    ]
    assert chances(figure.axes[2]) == [0.5, 0.75, 0.45] * 2


@pytest.mark.parametrize("count", [1, 12])
def test_experiments_are_readable_whatever_their_number(tmp_path, count):
    long = "motion_of_the_cropped_pictures_with_adamw_and_cosine"
    figure = draw_experiments(tmp_path, {f"{long}_{number}": 2 for number in range(count)})
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(box.x0 >= 0 for box in boxes)
    assert all(not one.overlaps(other) for one, other in zip(boxes, boxes[1:], strict=False))
    assert figure.axes[0].get_window_extent().width > 0.15 * figure.bbox.width
