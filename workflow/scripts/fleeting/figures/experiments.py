"""The scores of every experiment of the config, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fleeting import tsv
from fleeting.drawing import chance, choices, points, style
from fleeting.evaluation import results
from fleeting.evaluation.results import Choice

SCOPE = "comparison"
READS = {
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
CAPTION = (
    "UF1 (the mean of the classes' F1-scores), UAR (the mean of their recalls) and accuracy on all "
    "test examples of every experiment, for the (model, learning rate) that the paper chose and "
    "for the one with the highest validation accuracy; which these are is in the table of the "
    "experiments. The predictions of all folds are pooled and scored once for each repeat; a small "
    "point is a repeat, a large one the mean over repeats, whose number is with the experiment's "
    "name. The repeats of an experiment share one split, and between them only the initial weights "
    "(of the new layers alone, where the network is pretrained) and the order of the examples "
    "varied: how far the points lie apart says nothing of other images or other subjects. An "
    "experiment has n test examples of K classes; experiments can differ in these, so chance is "
    "drawn beside each: guessing each of its classes equally often (dotted; accuracy and UAR are "
    "one over their number), and always naming the most frequent class of its test examples "
    "(dashed). Runs that failed are in no mean."
)
#: Heights in inches: of a row at least, and of a line of its name.
ROW, LINE = 0.5, 0.16
#: Characters of an experiment's name on one line.
LONGEST = 26


@dataclass(frozen=True)
class Experiment:
    """What the figure shows of an experiment; `tests` are the split's test rows."""

    name: str
    scores: pd.DataFrame
    choices: Sequence[Choice]
    tests: pd.DataFrame

    @property
    def repeats(self) -> list[int]:
        """The number of repeats of each choice."""
        return [
            len(points.values(self.scores, choice.model, choice.lr, "all", "uf1"))
            for choice in self.choices
        ]


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw one row per experiment and one panel per metric."""
    found = []
    for scores, chosen, path in zip(files["scores"], files["choices"], files["split"], strict=True):
        split = tsv.read(path, tsv.SPLIT)
        found.append(
            Experiment(
                scores.parent.name,
                results.read(scores, tsv.SCORES),
                choices.read(chosen),
                split[split["split"] == "test"],
            )
        )
    return plot(found)


def plot(experiments: Sequence[Experiment]) -> Figure:
    """Draw the figure: the same colour and place in a row for the same choice."""
    names = list(dict.fromkeys(each.name for one in experiments for each in one.choices))
    places = list(range(len(experiments)))
    labels = [_label(one) for one in experiments]
    row = max(ROW, LINE * max(1 + label.count("\n") for label in labels))
    figure = style.new_figure(height=1.6 + row * len(experiments))
    panels = figure.subplots(1, len(points.METRICS), sharey=True)
    for axes, metric in zip(panels, points.METRICS, strict=True):
        for place, one in enumerate(experiments):
            classes = points.classes(one.scores)
            counts = one.tests["label"].value_counts().tolist()
            points.draw_chance(axes, place, chance.of_group(metric, counts, classes))
            for choice in one.choices:
                found = points.values(one.scores, choice.model, choice.lr, "all", metric)
                position = names.index(choice.name)
                offset = 0.3 * (position - (len(names) - 1) / 2)
                points.draw(axes, place + offset, found, position)
    points.finish(panels, places, labels)
    series = [style.choice_title(name) for name in names]
    repeats = [count for one in experiments for count in one.repeats]
    figure.legend(*points.legend(series, repeats), loc="outside lower center", ncols=2)
    return figure


def _label(one: Experiment) -> str:
    # Long names are broken after an underscore.
    name = fill(one.name.replace("_", "_ "), LONGEST).replace("_ ", "_")
    tested, classes = one.tests["example"].nunique(), one.tests["label"].nunique()
    return f"{name}\n{points.repeats_text(one.repeats)}, n = {tested}, K = {classes}"
