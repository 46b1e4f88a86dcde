"""Figures of scores: points over repeats, chance beside them, one experiment and many."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.drawing import chance
from fleeting.drawing.draw import run
from fleeting.evaluation import schemas
from fleeting.evaluation.results import Choice
from fleeting.figures import experiments, scores

GROUPS = ["all", "database/casme", "database/casme2", "phase/apex", "class/a", "class/b"]
CHOSEN = {("resnet18", "1e-05"): "paper's choice", ("resnet34", "1e-03"): "validation's choice"}


def score_table(repeats: int = 2, value: float = 0.5) -> pd.DataFrame:
    """Every score is `value` and, in the second repeat, 0.2 more."""
    rows = [
        (model, lr, repeat, group, metric, value + 0.2 * (repeat == 2))
        for (model, lr), group, metric, repeat in product(
            CHOSEN, GROUPS, ("uf1", "uar", "accuracy"), range(1, repeats + 1)
        )
    ]
    return pd.DataFrame(rows, columns=list(tsv.SCORES))


def split_table() -> pd.DataFrame:
    """Three test examples of class a and one of class b, which CASME II alone has."""
    rows = [("1", "casme", "a"), ("2", "casme", "a"), ("3", "casme2", "a"), ("4", "casme2", "b")]
    return pd.DataFrame(
        [
            (name, f"s{name}", database, "sub", "apex", label, "1", "test")
            for name, database, label in rows
        ],
        columns=list(tsv.SPLIT),
    )


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
        score = registry.load("metric", metric).score
        expected = chance.of_group(metric, counts, len(counts))
        largest = np.full_like(labels, np.argmax(counts))
        assert score(labels, largest, classes) == pytest.approx(expected.majority)
        guessed = np.mean([score(labels, guess, classes) for guess in guesses])
        # F1 of expected counts is not quite the expected F1.
        assert guessed == pytest.approx(expected.guessing, abs=0.03)


def test_chance_of_one_class_is_of_its_recall_and_its_f1():
    assert chance.of_class("uar", 0.75, 2) == chance.Chance(0.5, None)
    assert chance.of_class("uf1", 0.75, 2).guessing == pytest.approx(0.6)


def test_scores_show_each_group_with_repeats_mean_and_chance():
    figure = scores.plot(score_table(), CHOSEN, split_table(), "images")
    uf1, uar, accuracy = figure.axes
    names = [label.get_text() for label in uf1.get_yticklabels()]
    assert names == [
        "all test images (4, K = 2)",
        "CASME (2, K = 1)",
        "CASME II (2, K = 2)",
        "apex (4, K = 2)",
        "a (3)",
        "b (1)",
    ]
    assert points(accuracy)[:2] == [[0.5, 0.7], [pytest.approx(0.6)]]
    assert chances(accuracy)[:2] == [0.5, 0.75]
    assert chances(uar)[-1] == 0.5


def test_scores_say_whose_they_are_and_over_how_many_repeats():
    figure = scores.plot(score_table(), CHOSEN, split_table(), "images")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "paper's choice: ResNet18 at 1e-05, 2 repeats",
        "validation's choice: ResNet34 at 1e-03, 2 repeats",
        "one repeat (large: their mean)",
        "guessing each class equally often",
        "always the most frequent class",
    ]


def test_a_single_repeat_is_one_point():
    figure = scores.plot(score_table(repeats=1), CHOSEN, split_table(), "images")
    assert {len(found) for found in points(figure.axes[0])} == {1}
    assert "one repeat (large: their mean)" not in [
        text.get_text() for text in figure.legends[0].get_texts()
    ]


def test_a_score_that_is_missing_is_said_to_be():
    table = score_table()
    table.loc[table["group"] == "class/b", "value"] = np.nan
    figure = scores.plot(table, CHOSEN, split_table(), "images")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no score", "no score"]


def experiment(name: str, repeats: int = 2) -> experiments.Experiment:
    chosen = [
        Choice(text.split("'")[0], model, lr, "because") for (model, lr), text in CHOSEN.items()
    ]
    return experiments.Experiment(name, score_table(repeats), chosen, split_table())


def test_experiments_stand_side_by_side_with_their_repeats():
    figure = experiments.plot([experiment("paper"), experiment("leave_one_subject_out", 1)])
    assert [axes.get_title() for axes in figure.axes] == ["UF1", "UAR", "accuracy"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "paper\n2 repeats, n = 4, K = 2",
        "leave_one_subject_out\n1 repeat, n = 4, K = 2",
    ]
    assert chances(figure.axes[2]) == [0.5, 0.75, 0.5, 0.75]


@pytest.mark.parametrize("count", [1, 12])
def test_experiments_are_readable_whatever_their_number(count):
    long = "motion_of_the_cropped_pictures_with_adamw_and_cosine"
    figure = experiments.plot([experiment(f"{long}_{number}") for number in range(count)])
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(box.x0 >= 0 for box in boxes)
    assert all(not one.overlaps(other) for one, other in zip(boxes, boxes[1:], strict=False))
    assert figure.axes[0].get_window_extent().width > 0.15 * figure.bbox.width


@pytest.mark.parametrize("name", ["scores", "experiments"])
def test_the_job_draws_what_was_declared(tmp_path, name):
    constants = registry.constants("figure", name)
    choices = pd.DataFrame(
        [("paper", "resnet18", "1e-05", "x"), ("validation", "resnet34", "1e-03", "x")],
        columns=list(schemas.CHOICES),
    )
    compared = ["one", "two"] if constants.get("SCOPE") == "comparison" else ["one"]
    files = []
    for key, path in constants["READS"].items():
        for experiment in compared:
            place = tmp_path / path.format(experiment=experiment)
            files.append(f"{key}={place}")
            table, schema = {
                "scores": (score_table(), tsv.SCORES),
                "choices": (choices, schemas.CHOICES),
                "split": (split_table(), tsv.SPLIT),
            }[key]
            tsv.write(table, place, schema)
    settings = {"input.kind": "image"} if "SETTINGS" in constants else {}
    drawn: list[Path] = [tmp_path / "a.svg", tmp_path / "a.png"]
    run(figure=name, files=files, settings=settings, svg=drawn[0], png=drawn[1])
    assert all(path.stat().st_size > 1000 for path in drawn)
