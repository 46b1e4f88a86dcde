"""The scores of the chosen configurations by database, phase and class."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.evaluation import ceiling, chance, intervals, verdict
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
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
    "baseline_counts": "experiments/{experiment}/evaluation/baseline_counts.tsv",
    "split": "experiments/{experiment}/split.tsv",
    "folds": "experiments/{experiment}/folds.tsv",
}
#: Read as well where the databases are synthetic.
READS_SYNTHETIC = {"truth": "databases/{database}.tsv"}
SETTINGS = ("experiment.metrics",)
#: Columns of the page that stand beside the UAR, and their titles.
BEST = {
    "best_null_score": "UAR of the best null model",
    "best_baseline_score": "UAR of the best baseline",
}

#: What the page says where there is a ceiling.
CEILING = (
    " The ceiling is known because the databases are synthetic: the best that any network could "
    "reach on the pictures of a phase if it saw which action units each one shows (none, where the "
    "expression has an intensity of 0 at that frame), its database, and, where other images of its "
    "clip or subject are trained on, whose it is; pictures that are alike in these get one class. "
    "The class shares are those of the tested pictures, so it is rather too high than too low."
)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Mean, standard deviation, smallest and largest over repeats of every score.

    `classes` counts those with test examples in the group, `examples` is their number (a mean over
    repeats, should folds differ between them). `chance` is the score of guessing every class of the
    experiment equally often, `majority` that of always naming the group's most frequent class; both
    are empty for metrics of which they are not known. `best_null` and `best_baseline` are the
    baselines with the highest score in the group, of those that are given annotations alone and of
    all; a class has none.

    `clips` counts the clips that are tested (a mean over repeats, likewise). `clip_in_recall` is
    what one clip of a class is worth in the recall of the class (1 / its clips), `clip_in_uar` what
    it is worth in the UAR of all (1 / its clips / the number of classes with test examples). Both
    are empty for groups that are no class.

    `ceiling` is what the pictures of a phase allow at best: see `evaluation/ceiling.py`. It is
    empty where the databases are not synthetic.
    """
    summary = Summary(files)
    split = tsv.read(files["split"][0], tsv.SPLIT)
    tested = _tested(split, tsv.read_rows(files["folds"][0], tsv.FOLDS))
    truth = [tsv.read(path, ceiling.TRUTH) for path in files.get("truth", [])]
    phases = ceiling.with_seen(tested, split, pd.concat(truth)) if truth else None
    metrics = shown_metrics(settings["experiment.metrics"])
    rows = []
    for choice in summary.choices:
        values = summary.values(choice.model, choice.lr)
        for group in dict.fromkeys(group for group, _ in values):
            members = chance.members(tested, group)
            labels = members["label"]
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
                        **_clips(members, group, tested["label"].nunique()),
                        "metric": metric,
                        **spread(list(by_repeat.values())),
                        **intervals.columns(interval),
                        "subjects": interval.subjects if interval else "",
                        "effective_subjects": interval.effective_subjects if interval else nan,
                        "repeats": len(by_repeat),
                        "chance": beside.guessing if beside else nan,
                        "majority": beside.majority if beside and beside.majority else nan,
                        "ceiling": _ceiling(phases, group, metric),
                        **_best(summary, metric, group),
                    }
                )
    frame = pd.DataFrame(rows)
    return frame, _page(frame, summary, metrics)


def _tested(split: pd.DataFrame, folds: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """The test examples, each with the repeat that its fold is for (empty: all of them)."""
    repeats = {fold["fold"]: fold["repeat"] for fold in folds}
    tested = split[split["split"] == "test"]
    return tested.assign(repeat=tested["fold"].map(repeats))


def _clips(members: pd.DataFrame, group: str, classes: int) -> dict[str, float]:
    """How many clips a group has, and what one of a class is worth."""
    if members.empty:
        return {"clips": 0, "clip_in_recall": nan, "clip_in_uar": nan}
    clips = float(members.groupby("repeat")["sample"].nunique().mean())
    worth = 1 / clips if group.startswith("class/") else nan
    return {"clips": clips, "clip_in_recall": worth, "clip_in_uar": worth / classes}


def _ceiling(phases: pd.DataFrame | None, group: str, metric: str) -> float:
    """The ceiling of a group that is a phase (a mean over repeats), if it is known."""
    if phases is None or not group.startswith("phase/") or metric not in ceiling.METRICS:
        return nan
    of_repeats = chance.members(phases, group).groupby("repeat")
    return float(np.mean([ceiling.ceiling(own, metric) for _, own in of_repeats]))


def _best(summary: Summary, metric: str, group: str) -> dict[str, Any]:
    """The best null model and the best baseline by a metric in a group, as columns."""
    found = {
        "best_null": summary.baselines.best_null(metric, group),
        "best_baseline": summary.baselines.best(metric, group),
    }
    columns: dict[str, Any] = {}
    for name, best in found.items():
        columns |= {name: best.title if best else "", f"{name}_score": best.score if best else nan}
    return columns


def _page(frame: pd.DataFrame, summary: Summary, metrics: Sequence[str]) -> Page:
    """The table for reading: one part per choice, groups in rows, metrics in columns."""
    parts = []
    for choice in summary.choices:
        own = frame[frame["choice"] == choice.name]
        # Of a group's rows, one per metric, that of the accuracy comes first.
        shown = own[own["metric"] == "accuracy"].set_index("group")
        shown = shown.drop(columns=list(SPREAD)).assign(
            group=[group.replace("/", ": ", 1) for group in shown.index],
            **{
                column: [f"{number:.0f}" for number in shown[column]]
                for column in ("examples", "clips")
            },
        )
        for metric in metrics:
            of_metric = own[own["metric"] == metric].set_index("group")
            shown = shown.join(of_metric[list(SPREAD)].add_prefix(f"{metric}_"))
            shown[f"chance_{metric}"] = of_metric["chance"]
            shown[f"ceiling_{metric}"] = of_metric["ceiling"]
            if metric == "uar":
                shown[list(BEST)] = of_metric[list(BEST)]
            ends = pd.Series(intervals.texts(of_metric), of_metric.index)
            shown[f"interval_{metric}"] = ends
        titles = {"group": "group", "examples": "test examples", "clips": "clips"}
        titles["subjects"] = "subjects"
        titles["classes"] = "classes"
        for metric in metrics:
            title = metric_title(metric)
            titles |= {metric: title, f"interval_{metric}": f"{title}, 95% interval"}
            titles[f"chance_{metric}"] = f"{title} by chance"
            if own.loc[own["metric"] == metric, "ceiling"].notna().any():
                titles[f"ceiling_{metric}"] = f"{title}, ceiling"
            if metric == "uar":
                titles |= BEST
        titles |= {"repeats": "repeats", "majority": "majority"}
        titles |= {"clip_in_recall": "one clip in recall", "clip_in_uar": "one clip in UAR"}
        parts.append((f"{choice.title} ({choice.reason})", for_reading(shown, titles)))
    return Page(
        "Scores by database, phase and class",
        f"{verdict.note(summary)} The predictions of "
        "all folds of a repeat are scored together. UF1 "
        "and UAR are the F1-score and the recall averaged over the classes that have test examples "
        "in the group. A class is scored against the rest: its accuracy and its UAR are its "
        "recall. By chance is the score of guessing every class equally often, majority the "
        "accuracy of always naming the group's most frequent class. The best null model has the "
        "highest UAR of the baselines that are given annotations alone, the best baseline that of "
        "all; the table of baselines names them. One clip in recall is the recall of a class that "
        "one of its clips is worth, one clip in UAR what that adds to the UAR of all test "
        f"examples.{CEILING if frame['ceiling'].notna().any() else ''}",
        parts,
    )
