"""Scores of the chosen configurations, over all predictions and by database, phase and class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import choices, score_points, style
from fleeting.evaluation import chance, schemas
from fleeting.evaluation.baseline_scores import BaselineScores
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.summary import read_choices

READS = {
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "UF1 (the mean of the classes' F1-scores), UAR (the mean of their recalls) and accuracy on the "
    "test examples, for the (model, learning rate) that the paper chose and for the one with the "
    "highest validation accuracy (and, with several folds, for each fold's own choice by its "
    "validation UF1, called nested): over all test examples, by database, by phase and by class. "
    "The predictions of all folds are pooled and scored once for each repeat; a small point is a "
    "repeat, a large one the mean over repeats. All repeats share one split, unless the protocol "
    "draws one for each. Between them the initial weights (of the new layers alone, where the "
    "network is pretrained) and the order of the examples varied: how far the points lie apart "
    "says nothing of other images or other subjects. A line is the 95% interval of the mean: "
    "subjects (within their database) and repeats drawn with replacement, the trained models held "
    "fixed; where the effective number of subjects, (sum n)² / sum n², is below ten, it is the "
    "range of the scores without one subject (dotted). K classes have test examples in a group, "
    "and only they are scored there; of a single class, UF1 is its F1-score, and UAR and accuracy "
    "are its recall. Predictors that never look at an example are drawn beside each group: "
    "guessing each class of the experiment equally often (dotted; accuracy and UAR are one over "
    "their number), always naming the group's most frequent class (dashed), and the highest score "
    "of the null models, which know the annotations of the training examples (solid; a class has "
    "none). Runs that failed are in no mean."
)


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one row per group and one panel per metric."""
    scores = schemas.read(files["scores"][0], tsv.SCORES)
    intervals = schemas.read(files["intervals"][0], schemas.INTERVALS)
    chosen = choices.titles(read_choices(files["choices"][0]))
    baselines = BaselineScores(files["baselines"][0])
    split = tsv.read(files["split"][0], tsv.SPLIT)
    tests = split[split["split"] == "test"]
    classes = score_points.classes(scores)
    rows = []
    for group, of_group in scores.groupby("group", sort=False):
        kind, _, value = str(group).partition("/")
        members = chance.members(tests, str(group))
        titles = {
            "all": f"all test {style.unit(settings['input.kind'])}",
            "database": style.database_title(value),
        }
        name = f"{titles.get(kind, value)} ({members['example'].nunique()}"
        name += ")" if kind == "class" else f", K = {members['label'].nunique()})"
        beside = {
            metric: chance.of(metric, tests, str(group), classes) for metric in score_points.METRICS
        }
        own = intervals[intervals["group"] == group]
        null = baselines.highest_nulls(score_points.METRICS, str(group))
        configurations = dict(enumerate(chosen))
        rows.append(score_points.Row(name, kind, of_group, own, configurations, beside, null))
    repeats = rows[0].repeats()
    series = [
        f"{title}: {configuration_title(model, lr)}, {style.repeats([count])}"
        for ((model, lr), title), count in zip(chosen.items(), repeats, strict=True)
    ]
    # The marks of a row stay nearer to each other than to those of the next row.
    several = max(2, len(series))
    return score_points.draw(
        rows, series, margin=2.3, row_height=0.13 * several, step=0.72 / several, columns=1
    )
