"""Scores of the chosen configurations, over all predictions and by database, phase and class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import chance, choices, points, style
from fleeting.drawing.chance import Chance
from fleeting.evaluation import results
from fleeting.evaluation.grid import paper_name

READS = {
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "UF1 (the mean of the classes' F1-scores), UAR (the mean of their recalls) and accuracy on the "
    "test examples, for the (model, learning rate) that the paper chose and for the one with the "
    "highest validation accuracy: over all test examples, by database, by phase and by class. The "
    "predictions of all folds are pooled and scored once for each repeat; a small point is a "
    "repeat, a large one the mean over repeats. All repeats share one split, and between them only "
    "the initial weights (of the new layers alone, where the network is pretrained) and the order "
    "of the examples varied: how far the points lie apart says nothing of other images or other "
    "subjects. K classes have test examples in a group, and only they are scored there; of a "
    "single class, UF1 is its F1-score, and UAR and accuracy are its recall. Two predictors that "
    "never look at an example are drawn beside each group: guessing each class of the experiment "
    "equally often (dotted; accuracy and UAR are one over their number), and always naming the "
    "group's most frequent class (dashed). Runs that failed are in no mean."
)
ROW = 0.26


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one row per group and one panel per metric."""
    split = tsv.read(files["split"][0], tsv.SPLIT)
    return plot(
        results.read(files["scores"][0], tsv.SCORES),
        choices.titles(choices.read(files["choices"][0])),
        split[split["split"] == "test"],
        style.unit(settings["input.kind"]),
    )


def plot(
    scores: pd.DataFrame, chosen: Mapping[tuple[str, str], str], tests: pd.DataFrame, unit: str
) -> Figure:
    """Draw the figure.

    Args:
        scores: every score of every run (`tsv.SCORES`).
        chosen: the title of each configuration to show.
        tests: the rows of the split (`tsv.SPLIT`) that are tests.
        unit: what examples are called.
    """
    groups = list(dict.fromkeys(scores["group"]))
    places = _places(groups)
    figure = style.new_figure(height=1.95 + ROW * places[-1])
    panels = figure.subplots(1, len(points.METRICS), sharey=True)
    offsets = [0.36 * (index - (len(chosen) - 1) / 2) for index in range(len(chosen))]
    for axes, metric in zip(panels, points.METRICS, strict=True):
        for group, place in zip(groups, places, strict=True):
            if beside := _chance(group, metric, tests, points.classes(scores)):
                points.draw_chance(axes, place, beside)
            for position, (model, lr) in enumerate(chosen):
                found = points.values(scores, model, lr, group, metric)
                points.draw(axes, place + offsets[position], found, position)
    repeats = [len(points.values(scores, model, lr, "all", "uf1")) for model, lr in chosen]
    names = [_name(group, tests, unit) for group in groups]
    points.finish(panels, places, names)
    series = [
        f"{title}: {paper_name(model)} at {lr}, {points.repeats_text([count])}"
        for ((model, lr), title), count in zip(chosen.items(), repeats, strict=True)
    ]
    figure.legend(*points.legend(series, repeats), loc="outside lower center", ncols=1)
    return figure


def _places(groups: list[str]) -> list[float]:
    """The heights of the rows, with a gap between the sections."""
    places, section, place = [], "", 0.0
    for group in groups:
        own = group.partition("/")[0]
        place += 1.6 if section and own != section else 1
        section = own
        places.append(place)
    return [place - places[0] for place in places]


def _members(group: str, tests: pd.DataFrame) -> pd.DataFrame:
    column, _, value = group.partition("/")
    column = {"class": "label", "all": ""}.get(column, column)
    return tests[tests[column] == value] if column else tests


def _chance(group: str, metric: str, tests: pd.DataFrame, classes: int) -> Chance | None:
    """What predictors without skill score in a group; None where the group has no test example."""
    members = _members(group, tests)
    if members.empty:
        return None
    if group.startswith("class/"):
        return chance.of_class(metric, len(members) / len(tests), classes)
    return chance.of_group(metric, members["label"].value_counts().tolist(), classes)


def _name(group: str, tests: pd.DataFrame, unit: str) -> str:
    """A row's name, with its number of test examples (each counted once) and of classes."""
    members = _members(group, tests)
    count = members["example"].nunique()
    kind, _, value = group.partition("/")
    if kind == "class":
        return f"{value} ({count})"
    title = {"all": f"all test {unit}", "database": style.database_title(value)}.get(kind, value)
    return f"{title} ({count}, K = {members['label'].nunique()})"
