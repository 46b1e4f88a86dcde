"""The scores of every experiment of the config, side by side."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import score_points, style
from fleeting.evaluation import chance, schemas
from fleeting.evaluation.baseline_scores import BaselineScores
from fleeting.evaluation.choices import choice_title
from fleeting.evaluation.summary import order_by_validation, read_choices

SCOPE = "comparison"
READS = {
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
CAPTION = (
    "UF1 (the mean of the classes' F1-scores), UAR (the mean of their recalls) and accuracy on all "
    "test examples of every experiment, for the (model, learning rate) that the paper chose and "
    "for the one with the highest validation accuracy (and, with several folds, for each fold's "
    "own choice by its validation UF1, called nested); which these are is in the table of the "
    "experiments, which has the same order, that of validation accuracy. The predictions of all "
    "folds are pooled and scored once for each repeat; a small "
    "point is a repeat, a large one the mean over repeats, whose number is with the experiment's "
    "name. The repeats of an experiment share one split, unless its protocol draws one for each. "
    "Between them the initial weights (of the new layers alone, where the network is pretrained) "
    "and the order of the examples varied: how far the points lie apart says nothing of other "
    "images or other subjects. A line is the 95% interval of the mean: subjects (within their "
    "database) and repeats drawn with replacement, the trained models held fixed; where the "
    "effective number of subjects, (sum n)² / sum n², is below ten, it is the range of the scores "
    "without one subject (dotted). An experiment has n test examples of K classes; experiments can "
    "differ in these, so chance is drawn beside each: guessing each of its classes equally often "
    "(dotted; accuracy and UAR are one over their number), and always naming the most frequent "
    "class of its test examples (dashed). A solid mark is the highest score of the null models, "
    "which know the annotations of the training examples alone. Runs that failed are in no mean."
)
#: Heights in inches: of a row at least, and of a line of its name.
ROW, LINE = 0.5, 0.16
#: Characters of an experiment's name on one line.
LONGEST = 26


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one row per experiment, in the table's order: the same colour for the same choice."""
    order = order_by_validation(files["choices"])
    files = {name: [paths[place] for place in order] for name, paths in files.items()}
    chosen = [read_choices(path) for path in files["choices"]]
    series = list(dict.fromkeys(choice.name for own in chosen for choice in own))
    rows = []
    for path, intervals_path, baselines_path, own, split_path in zip(
        *(files[key] for key in ("scores", "intervals", "baselines")),
        chosen,
        files["split"],
        strict=True,
    ):
        scores = schemas.read(path, tsv.SCORES)
        intervals = schemas.read(intervals_path, schemas.INTERVALS)
        split = tsv.read(split_path, tsv.SPLIT)
        tests = split[split["split"] == "test"]
        counts = tests["label"].value_counts().tolist()
        classes = score_points.classes(scores)
        beside = {
            metric: chance.of_group(metric, counts, classes) for metric in score_points.METRICS
        }
        configurations = {series.index(choice.name): (choice.model, choice.lr) for choice in own}
        overall = scores[scores["group"] == "all"]
        sure = intervals[intervals["group"] == "all"]
        null = BaselineScores(baselines_path).highest_nulls(score_points.METRICS)
        row = score_points.Row("", "", overall, sure, configurations, beside, null)
        name = style.wrapped_name(path.parent.name, LONGEST)
        repeats, tested = style.repeats(row.repeats()), tests["example"].nunique()
        rows.append(replace(row, name=f"{name}\n{repeats}, n = {tested}, K = {len(counts)}"))
    height = max(ROW, LINE * max(1 + row.name.count("\n") for row in rows))
    titles = [choice_title(name) for name in series]
    return score_points.draw(
        rows, titles, margin=1.8 + height, row_height=height, step=0.3, columns=2
    )
