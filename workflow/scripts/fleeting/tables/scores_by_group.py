"""The scores of the chosen configurations by database, phase and class."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import chance, intervals, verdict
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import for_reading, spread
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.scores import metric_title, shown_metrics
from fleeting.evaluation.summary import Summary

CAPTION = (
    "The scores of the chosen configurations over all test examples, and by database, phase and "
    "class. The predictions of all folds of a repeat are scored together, and the scores averaged "
    "over repeats. UF1 and UAR are averaged over the classes that have test examples in the group; "
    "their number is given. The 95% interval is over subjects, the trained models held fixed; the "
    "range over repeats is no confidence interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("experiment.metrics",)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Mean, standard deviation, smallest and largest over repeats of every score.

    `classes` counts those with test examples in the group, `examples` is their number (a mean over
    repeats, should folds differ between them). `chance` is the score of guessing every class of the
    experiment equally often, `majority` that of always naming the group's most frequent class; both
    are empty for metrics of which they are not known.
    """
    summary = Summary(files)
    split = tsv.read(files["split"][0], tsv.SPLIT)
    tested = split[split["split"] == "test"]
    metrics = shown_metrics(settings["experiment.metrics"])
    rows = []
    for choice in summary.choices:
        values = summary.values(choice.model, choice.lr)
        for group in dict.fromkeys(group for group, _ in values):
            labels = chance.members(tested, group)["label"]
            support = values[group, "support"]
            for metric in metrics:
                by_repeat = values[group, metric]
                known = metric in chance.METRICS
                beside = chance.of(metric, tested, group, len(summary.classes)) if known else None
                interval = summary.interval(choice.model, choice.lr, metric, group)
                rows.append(
                    {
                        "choice": choice.name,
                        "model": choice.model,
                        "lr": choice.lr,
                        "group": group,
                        "classes": labels.nunique(),
                        "examples": sum(support.values()) / len(support),
                        "metric": metric,
                        **spread(list(by_repeat.values())),
                        **intervals.columns(interval),
                        "subjects": interval.subjects if interval else "",
                        "effective_subjects": interval.effective_subjects if interval else nan,
                        "repeats": len(by_repeat),
                        "chance": beside.guessing if beside else nan,
                        "majority": beside.majority if beside and beside.majority else nan,
                    }
                )
    frame = pd.DataFrame(rows)
    return frame, _page(frame, summary, metrics)


def _page(frame: pd.DataFrame, summary: Summary, metrics: Sequence[str]) -> Page:
    """The table for reading: one part per choice, groups in rows, metrics in columns."""
    parts = []
    for choice in summary.choices:
        own = frame[frame["choice"] == choice.name]
        # Of a group's rows, one per metric, that of the accuracy comes first.
        shown = own[own["metric"] == "accuracy"].set_index("group")
        shown = shown.drop(columns=list(SPREAD)).assign(
            group=[str(group).replace("/", ": ", 1) for group in shown.index],
            examples=[f"{number:.0f}" for number in shown["examples"]],
        )
        for metric in metrics:
            of_metric = own[own["metric"] == metric].set_index("group")
            shown = shown.join(of_metric[list(SPREAD)].add_prefix(f"{metric}_"))
            shown[f"chance_{metric}"] = of_metric["chance"]
            shown[f"interval_{metric}"] = [
                interval.text if interval else ""
                for interval in (
                    summary.interval(choice.model, choice.lr, metric, group)
                    for group in shown.index
                )
            ]
        titles = {"group": "group", "examples": "test examples", "subjects": "subjects"}
        titles["classes"] = "classes"
        for metric in metrics:
            title = metric_title(metric)
            titles |= {metric: title, f"interval_{metric}": f"{title}, 95% interval"}
            titles[f"chance_{metric}"] = f"{title} by chance"
        titles |= {"repeats": "repeats", "majority": "majority"}
        parts.append((f"{choice.title} ({choice.reason})", for_reading(shown, titles)))
    return Page(
        "Scores by database, phase and class",
        f"{verdict.note(summary)} The predictions of "
        "all folds of a repeat are scored together. UF1 "
        "and UAR are the F1-score and the recall averaged over the classes that have test examples "
        "in the group. A class is scored against the rest: its accuracy and its UAR are its "
        "recall. By chance is the score of guessing every class equally often, majority the "
        "accuracy of always naming the group's most frequent class.",
        parts,
    )
