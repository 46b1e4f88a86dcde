"""The baselines beside the chosen networks: what a score has to be above."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import intervals, verdict
from fleeting.evaluation.baseline_scores import GIVEN, BaselineScore
from fleeting.evaluation.choices import choice_title
from fleeting.evaluation.gains import gains
from fleeting.evaluation.render import Page
from fleeting.evaluation.scores import metric_title
from fleeting.evaluation.summary import Choice, Summary

CAPTION = (
    "What the chosen networks reach beside predictors without a network, from the highest UAR to "
    "the lowest, over all test examples. Every baseline is fitted to the training examples of each "
    "fold alone and predicts that fold's test examples; the null models are given annotations and "
    "no example. The last columns say whether a network's UAR is above that of the baseline: "
    "whether the interval of their difference, on the same resampled subjects, is above zero. The "
    "scores of a network are means over its repeats, those of a baseline that draws at random over "
    "ten draws, or over the repeats where each has a split of its own. Runs that failed are in no "
    "mean."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
    "baseline_counts": "experiments/{experiment}/evaluation/baseline_counts.tsv",
}
SETTINGS = ()
METRICS = ("uf1", "uar", "accuracy")


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per baseline and per chosen configuration, the highest UAR first.

    `looks_at` is `labels`, `examples` or `motion`. For each choice there is a column with its name:
    its UAR is `above` or `below` that of a baseline, or its interval `includes` no difference.
    """
    summary = Summary(files)
    rows = []
    for choice in summary.choices:
        about = {"predictor": choice.name, "title": choice.title, "looks_at": "examples"}
        repeats = len(summary.values(choice.model, choice.lr)["all", "uar"])
        rows.append({**about, **_of_choice(summary, choice), "repeats": repeats})
    for place, baseline in enumerate(summary.baselines.scores("uar")):
        about = {"predictor": baseline.name, "title": baseline.title, "looks_at": baseline.looks_at}
        own = {metric: summary.baselines.scores(metric)[place] for metric in METRICS}
        rows.append({**about, **_of_baseline(own), "repeats": baseline.repeats})
    frame = pd.DataFrame(rows).sort_values("uar", ascending=False, kind="stable")
    for choice in summary.choices:
        gained = gains(summary, choice)
        frame[choice.name] = [
            verdict.against(gained[name], 0) if name in gained else ""
            for name in frame["predictor"]
        ]
    return frame, _page(frame, summary)


def _of_choice(summary: Summary, choice: Choice) -> dict[str, Any]:
    """The scores of a network; those that are not among the experiment's have no interval."""
    columns: dict[str, Any] = {}
    for metric in METRICS:
        columns[metric] = summary.spread(choice.model, choice.lr, metric)["mean"]
        interval = summary.interval(choice.model, choice.lr, metric)
        columns |= intervals.columns(interval, f"{metric}_")
    return columns


def _of_baseline(scores: Mapping[str, BaselineScore]) -> dict[str, Any]:
    """The scores of a baseline by metric."""
    columns: dict[str, Any] = {}
    for metric, found in scores.items():
        columns |= {metric: found.score, **intervals.columns(found.interval, f"{metric}_")}
    return columns


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading."""
    is_network = frame["predictor"].isin([choice.name for choice in summary.choices])
    titles = frame["title"].mask(is_network, "network, " + frame["title"])
    shown = pd.DataFrame({"predictor": titles})
    shown["is given"] = frame["looks_at"].map(GIVEN)
    for metric in METRICS:
        shown[metric_title(metric)] = frame[metric]
        shown[f"{metric_title(metric)}, 95% interval"] = intervals.texts(frame, f"{metric}_")
    shown["repeats"] = frame["repeats"]
    for choice in summary.choices:
        shown[f"{choice_title(choice.name)} is"] = frame[choice.name]
    return Page(
        "Baselines",
        f"{verdict.note(summary)} A null model is given annotations alone. Every baseline is "
        "fitted to the training examples of each fold and predicts that fold's test examples; the "
        "predictions of all folds are scored together. Of one that draws at random, the repeats "
        "are draws. The last columns say where a network's UAR lies beside that of the baseline: "
        "`above` or `below` where the interval of their difference, on the same resampled "
        "subjects, excludes zero, and `includes` where it does not.",
        [("", shown)],
    )
